import { execa } from 'execa'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cronLine } from '../../../lib/monitor/cron-line.ts'

/** The command of a line as cron hands it to `sh`; what is left of its two readings of a backslash. */
function unescaped(line: string, doubledBackslashIsOne: boolean): string {
  const command = line.split(' ').slice(5).join(' ')
  return command.replaceAll(/\\(.)|%/gs, (pair, character) => {
    if (pair === '%') throw new Error('cron cuts the command here')
    return character === '%' || (character === '\\' && doubledBackslashIsOne) ? String(character) : pair
  })
}

test.each([
  ['plain words stay as they are', ['/usr/bin/node', '--for=3'], '/usr/bin/node --for=3'],
  ['blanks are quoted', ['/a b/node'], "'/a b/node'"],
  ['a percent sign is escaped for cron', ['date +%F'], String.raw`'date +\%F'`],
  ['a quotation mark ends and begins the quoting', ["it's"], String.raw`'it'\''s'`],
  ['nothing is a word', [''], "''"],
])('%s', (_, argv, command) => {
  expect(cronLine(5, argv)).toBe(`*/5 * * * * ${command}`)
})

test('what is to be done with the output comes last, for sh', () => {
  expect(cronLine(59, ['x', 'a>b'], '>/dev/null')).toBe("*/59 * * * * x 'a>b' >/dev/null")
})

test('any words arrive as they are, through cron and sh', async () => {
  const word = fc.oneof(
    fc
      .array(fc.constantFrom('\\', '%', "'", '"', '$', '`', ' ', 'a', '\\%', '\\\\', '*', '#', '!'))
      .map((characters) => characters.join('')),
    fc.string({ unit: 'grapheme' }).filter((text) => !/[\n\r\0]/.test(text)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 30 }), fc.boolean(), async (words, one) => {
      const line = cronLine(1, ['printf', String.raw`%s\0`, ...words])
      const { stdout } = await execa('/bin/sh', ['-c', unescaped(line, one)])
      expect(stdout.split('\0').slice(0, -1)).toEqual(words)
    }),
    { numRuns: 60 },
  )
})
