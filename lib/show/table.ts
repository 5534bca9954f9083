import { plain } from '../base/text.ts'
import { measureFor, type Measure } from './width.ts'

export type Style = (text: string) => string
/** A cell; one that spans takes the rest of its line and widens no column. */
export type Cell = string | { text: string; style: Style; spans?: true }
type Spelled = { text: string; style: Style; spans: boolean }
export type Column = {
  head: string
  align?: 'right'
  /** May be left out when the table is too wide; those with the highest number go first. */
  optional?: number
  /** May be cut short when the table is too wide. */
  shrinks?: true
}

const GAP = '  '
const SHORTEST = 8

/**
 * Lines of a table: columns by display width, so that wide characters line up, and no line wider than `width`
 * where columns can be left out or cut. Text in cells is made plain; only styles add escape codes.
 */
export async function table(
  columns: readonly Column[],
  rows: readonly Cell[][],
  width: number,
  head: Style,
): Promise<string[]> {
  const cells = rows.map((row) => row.map((cell) => spelled(cell)))
  const measure = await measureFor([
    ...columns.map((each) => each.head),
    ...cells.flat().map(({ text }) => text),
  ])
  const natural = columns.map((column, index) => {
    const inColumn = cells.flatMap((row) => (row[index] && !row[index].spans ? [row[index].text] : []))
    return Math.max(measure.widthOf(column.head), ...inColumn.map((text) => measure.widthOf(text)))
  })
  const widths = fit(columns, natural, width)
  const heads = columns.map(({ head: text }) => ({ text, style: head, spans: false }))
  return [heads, ...cells].map((row) => line(row, { columns, widths, width, measure }))
}

function spelled(cell: Cell): Spelled {
  const { text, style, spans = false } = typeof cell === 'string' ? { text: cell, style: same } : cell
  return { text: plain(text), style, spans }
}

const same: Style = (text) => text

function line(
  row: readonly Spelled[],
  {
    columns,
    widths,
    width,
    measure,
  }: {
    columns: readonly Column[]
    widths: readonly (number | undefined)[]
    width: number
    measure: Measure
  },
): string {
  const parts: string[] = []
  let used = 0
  for (const [index, cell] of row.entries()) {
    const space = cell.spans ? Math.max(0, width - used) : widths[index]
    if (space === undefined) continue
    parts.push(
      cell.spans
        ? cell.style(truncated(cell.text, space, measure))
        : padded(cell, space, columns[index]?.align, measure),
    )
    used += space + GAP.length
  }
  return parts.join(GAP).trimEnd()
}

/** The width of each column, undefined for one that is left out. */
function fit(columns: readonly Column[], natural: readonly number[], width: number): (number | undefined)[] {
  const widths: (number | undefined)[] = natural.map((size) => (size === 0 ? undefined : size))
  const over = () => {
    const shown = widths.filter((size) => size !== undefined)
    return shown.reduce((sum, size) => sum + size, GAP.length * (shown.length - 1)) - width
  }
  const dropOrder = columns
    .flatMap(({ optional }, index) => (optional === undefined ? [] : [{ optional, index }]))
    .toSorted((a, b) => b.optional - a.optional)
  for (const { index } of dropOrder) if (over() > 0) widths[index] = undefined
  for (const [index, column] of columns.entries()) {
    const size = widths[index]
    if (column.shrinks && size !== undefined && over() > 0) widths[index] = Math.max(SHORTEST, size - over())
  }
  return widths
}

function padded({ text, style }: Spelled, space: number, align: Column['align'], measure: Measure): string {
  const shown = truncated(text, space, measure)
  const blanks = ' '.repeat(Math.max(0, space - measure.widthOf(shown)))
  return align === 'right' ? blanks + style(shown) : style(shown) + blanks
}

function truncated(text: string, space: number, measure: Measure): string {
  return measure.widthOf(text) <= space ? text : measure.shortened(text, space)
}
