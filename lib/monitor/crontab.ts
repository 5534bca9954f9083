import { Refused } from '../base/errors.ts'

/** The text of a user's crontab; undefined when the user has none, which is not the same as an empty one. */
export type Crontab = string | undefined

const BEGIN = '# BEGIN resource-sharing'
const END = '# END resource-sharing'
// What removing has to undo besides the block itself is kept in its first line.
const NO_CRONTAB = `${BEGIN} (there was no crontab)`
const NO_NEWLINE = `${BEGIN} (no newline before this line)`

/** The crontab with these lines in a marked block: in the place of the one that it has, else at its end. */
export function install(crontab: Crontab, lines: readonly string[]): string {
  const block = (begin: string) => `${[begin, ...lines, END].join('\n')}\n`
  const parts = split(crontab)
  if (parts) return `${parts.before}${block(parts.begin)}${parts.after}`
  if (crontab === undefined) return block(NO_CRONTAB)
  if (crontab !== '' && !crontab.endsWith('\n')) return `${crontab}\n${block(NO_NEWLINE)}`
  return `${crontab}${block(BEGIN)}`
}

/** The crontab as it was before the block was installed, whatever else has been changed since. */
export function remove(crontab: Crontab): Crontab {
  const parts = split(crontab)
  if (parts === undefined) return crontab
  const { before, begin, after } = parts
  if (begin === NO_CRONTAB && before + after === '') return undefined
  return begin === NO_NEWLINE && after === '' ? before.replace(/\n$/, '') : before + after
}

/** The marked block, markers included; undefined when there is none. */
export function blockOf(crontab: Crontab): string[] | undefined {
  return split(crontab)?.block
}

type Parts = { before: string; begin: string; block: string[]; after: string }

/** @throws Refused when it is not clear what belongs to the block */
function split(crontab: Crontab = ''): Parts | undefined {
  const lines = crontab.split(/(?<=\n)/)
  const texts = lines.map((line) => line.trimEnd())
  const positions = (markers: readonly string[]) =>
    texts.flatMap((text, index) => (markers.includes(text) ? index : []))
  const begins = positions([BEGIN, NO_CRONTAB, NO_NEWLINE])
  const ends = positions([END])
  if (begins.length === 0 && ends.length === 0) return undefined
  const [from = 0] = begins
  const [to = 0] = ends
  if (begins.length !== 1 || ends.length !== 1 || to < from)
    throw new Refused(
      `the crontab has ${begins.length} × "${BEGIN}" and ${ends.length} × "${END}", which is not one block: ` +
        'mend it with `crontab -e`; nothing was changed',
    )
  return {
    before: lines.slice(0, from).join(''),
    begin: texts[from] ?? BEGIN,
    block: texts.slice(from, to + 1),
    after: lines.slice(to + 1).join(''),
  }
}
