/** How wide texts are on a terminal, and how one becomes shorter, its end being `…`. */
export type Measure = {
  widthOf: (text: string) => number
  shortened: (text: string, space: number) => string
}

/**
 * Characters that take one column each: printable ASCII, letters of western languages and Greek, and the marks, arrows and
 * blocks that tables and screens here are made of. Their `length` is their width.
 */
export const ONE_COLUMN_EACH =
  /^[\u0020-\u007E\u00A1-\u00AC\u00AE-\u02AF\u0391-\u03A1\u03A3-\u03A9\u03B1-\u03C9\u2010-\u2016\u2018-\u201F\u2022\u2026\u2190-\u2193\u2248\u2260-\u2265\u2580-\u259F]*$/

/** For texts of such characters alone. */
export const NARROW: Measure = {
  widthOf: (text) => text.length,
  shortened: (text, space) => (space < 1 ? '' : `${text.slice(0, space - 1)}…`),
}

/** What knows of wide characters takes longer to be loaded than all else that a table is for. */
export async function measureFor(texts: readonly string[]): Promise<Measure> {
  if (texts.every((text) => ONE_COLUMN_EACH.test(text))) return NARROW
  const [{ default: stringWidth }, { default: cliTruncate }] = await Promise.all([
    import('string-width'),
    import('cli-truncate'),
  ])
  return { widthOf: (text) => stringWidth(text), shortened: (text, space) => cliTruncate(text, space) }
}
