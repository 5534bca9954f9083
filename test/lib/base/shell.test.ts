import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commandLine, shellWords } from '../../../lib/base/shell.ts'

const argument = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', ''))
const ODD = ["it's", '', '\n', '$(id)`id`"\\', '-n', '*', '~', '!!', '{a,b}', 'a=b', '%']

/** What a shell takes a text for, as words. */
function wordsBySh(text: string): string[] {
  const script = `eval "set -- $1"; for each do printf '%s\\0' "$each"; done`
  return execFileSync('sh', ['-c', script, 'sh', text], { encoding: 'utf8' }).split('\0').slice(0, -1)
}

test('a shell takes quoted words, and a command line that is shown, for what they were', () => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 6 }), (words) => {
      expect(wordsBySh(shellWords(words))).toEqual(words)
      expect(wordsBySh(commandLine('ssh', words))).toEqual(['ssh', ...words])
    }),
    { numRuns: 60, examples: [[ODD]] },
  )
})

test.each([
  [['-o', 'BatchMode=yes', '--', 'n1', 'sh -s'], "ssh -o BatchMode=yes -- n1 'sh -s'"],
  [[''], "ssh ''"],
  [["it's"], "ssh 'it'\\''s'"],
])('%j is shown as %s', (args, line) => {
  expect(commandLine('ssh', args)).toBe(line)
})
