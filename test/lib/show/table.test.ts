import fc from 'fast-check'
import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import { table, type Cell, type Column } from '../../../lib/show/table.ts'

const same = (text: string) => text
const COLUMNS: Column[] = [
  { head: 'NAME', shrinks: true },
  { head: 'N', align: 'right' },
  { head: 'NOTE', optional: 1 },
]

test('columns line up by what a terminal shows, not by characters', async () => {
  const rows: Cell[][] = [
    ['日本', '1', 'wide'],
    ['nó', '22', 'accent'],
  ]
  expect(await table(COLUMNS, rows, 80, same)).toEqual([
    'NAME   N  NOTE',
    '日本   1  wide',
    'nó    22  accent',
  ])
})

test('optional columns go before anything is cut', async () => {
  const rows: Cell[][] = [['a-long-node-name', '1', 'a note']]
  expect(await table(COLUMNS, rows, 20, same)).toEqual(['NAME              N', 'a-long-node-name  1'])
  expect((await table(COLUMNS, rows, 13, same))[1]).toBe('a-long-no…  1')
})

test('a spanning cell takes the rest of its line and widens no column', async () => {
  const rows: Cell[][] = [
    ['a', { text: 'a reason that is longer than any column', style: same, spans: true }],
    ['b', '2', 'x'],
  ]
  expect(await table(COLUMNS, rows, 24, same)).toEqual([
    'NAME  N  NOTE',
    'a     a reason that is …',
    'b     2  x',
  ])
})

test('cells hold no escape codes but those of their style', async () => {
  const style = (text: string) => `<${text}>`
  expect((await table([{ head: 'A' }], [[{ text: '\u001B[2Jx\n', style }]], 80, same))[1]).toBe('<x>')
})

test('no line is wider than the terminal, whatever the names', async () => {
  const cell = fc.string({ unit: 'grapheme', maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell)),
      fc.integer({ min: 20, max: 120 }),
      async (rows, width) => {
        const columns: Column[] = [
          { head: 'A', shrinks: true },
          { head: 'B', optional: 1 },
        ]
        for (const line of await table(columns, rows, width, same))
          expect(stringWidth(line)).toBeLessThanOrEqual(width)
      },
    ),
  )
})
