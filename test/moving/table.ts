import { markdownTable } from '../markdown-table.ts'

/** By the title of a program and of a way to start it: a mark where it moved, else why not, or a dash where nobody tries. */
export type Cells = ReadonlyMap<string, ReadonlyMap<string, string>>

export const MOVED = '✓'
export const NONE = '–'
const LATER = /^\d+$/

/** The table, and below it what its numbers mean. */
export function tableText(cells: Cells, ways: readonly string[]): string {
  const notes = [...new Set([...cells.values()].flatMap((row) => [...row.values()]))].filter(
    (text) => text !== MOVED && text !== NONE,
  )
  const short = (text: string) => (notes.includes(text) ? String(notes.indexOf(text) + 1) : text)
  const rows = [...cells].map(([title, row]) => [title, ...ways.map((way) => short(row.get(way) ?? NONE))])
  return [
    ...markdownTable([['program', ...ways], ...rows]),
    '',
    ...notes.map((note, index) => `${index + 1}. ${note}`),
  ].join('\n')
}

/** What {@link tableText} has written. */
export function cellsIn(text: string): Cells {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  const notes = new Map(
    [...text.matchAll(/^(\d+)\. (.*)$/gm)].map(([, number = '', note = '']) => [number, note]),
  )
  const [head = [], , ...body] = rows
  const long = (cell: string) => (LATER.test(cell) ? (notes.get(cell) ?? cell) : cell)
  return new Map(
    body.map(([title = '', ...row]) => [
      title,
      new Map(row.map((cell, index) => [head[index + 1] ?? '', long(cell)])),
    ]),
  )
}
