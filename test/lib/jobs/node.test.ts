import { execa } from 'execa'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeScript, parseReport, wordsOf } from '../../../lib/jobs/node.ts'

test('words come through a shell as they are, whatever they hold', async () => {
  const word = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', ''))
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
      const script = `eval "set -- $1"; for each; do printf '%s\\0' "$each"; done`
      const { stdout } = await execa('sh', ['-c', script, 'sh', wordsOf(words)], { stripFinalNewline: false })
      expect(stdout).toBe(words.map((each) => `${each}\0`).join(''))
    }),
    { numRuns: 60, examples: [[["it's", '', '\n', '$(id)`id`"\\', '-n', '*']]] },
  )
})

test.each(['sh', 'bash'])('%s understands the program for the other machine', async (shell) => {
  expect((await execa(shell, ['-n'], { input: nodeScript('run_report') })).stderr).toBe('')
})

test.each([
  ['state ended\nstatus 0', { state: 'ended', exitCode: 0 }],
  ['state running\nprocess 12 345', { state: 'running', pid: 12 }],
  ['state gone', { state: 'gone' }],
  ['state rebooted\n', { state: 'rebooted' }],
  ['state ended', undefined],
  ['state ended\nstatus 256', undefined],
  ['state ended\nstatus -1', undefined],
  ['state running\nprocess x 1', undefined],
  ['state done', undefined],
  ['', undefined],
])('%j is the report %j', (output, report) => {
  expect(parseReport(output)).toEqual(report)
})
