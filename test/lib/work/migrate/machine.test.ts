import { expect, test } from 'vitest'
import type { Said } from '../../../../lib/mesh/remote/run.ts'
import { NO_ROOT } from '../../../../lib/mesh/remote/script.ts'
import { decisiveLine } from '../../../../lib/work/migrate/criu.ts'
import { endOf } from '../../../../lib/work/migrate/machine.ts'

const said = (output: string, status = 1, stderr = ''): Said => ({ known: true, status, output, stderr })
const whyOf = (what: Said) => {
  const end = endOf(what)
  return end.known ? end.why : end.reason
}

test('of an answer that has not come nobody knows anything', () => {
  expect(endOf({ known: false, reason: 'no answer' })).toEqual({ known: false, reason: 'no answer' })
})

test('facts and marks are told apart, and of a fact that is told twice the last one counts', () => {
  const end = endOf(said('process running\nmark dumped\nmark killed\nprocess gone\nnot-a fact\n', 0))
  expect(end).toMatchObject({ known: true, status: 0 })
  if (!end.known) throw new Error('it is known')
  expect(end.facts.get('process')).toBe('gone')
  expect([...end.marks]).toEqual(['dumped', 'killed'])
})

const FILE = '(00.1) 7: Error (criu/files-reg.c:2): File /x has bad size'
const FAILED = '(00.2) Error (criu/cr-restore.c:1): Restoring FAILED.'

test.each<[string, Said, string]>([
  ['its own reason', said('why there is no room\n'), 'there is no room'],
  [
    'its reason and what criu says',
    said(`why criu failed\nlog ${FILE}\n`),
    'criu failed: criu: File /x has bad size',
  ],
  ['what criu says alone', said(`log ${FAILED}\nlog ${FILE}\n`), 'criu: File /x has bad size'],
  ['what was complained of', said('', 1, 'sh: disk full\n'), 'sh: disk full'],
  ['what was printed', said('hm?\n'), 'hm?'],
  ['that it says nothing', said(''), 'it does not say why'],
  [
    'what sudo lacks, whatever else is said',
    said('why x\n', NO_ROOT),
    'it needs root there, or a sudo that asks no password',
  ],
  ['plain text', said('why \u001B[31mred\n'), 'red'],
])('why a step failed is %s', (_, what, why) => {
  expect(whyOf(what)).toBe(why)
})

test.each<[string, string[], string | undefined]>([
  ['nothing of nothing', [], undefined],
  ['nothing of lines that are no errors', ['(00.1) Warn (criu/a.c:1): x'], undefined],
  ['the first cause, not what follows from it', [FAILED, FILE], 'criu: File /x has bad size'],
  ['what follows, where there is no cause', [FAILED], 'criu: Restoring FAILED.'],
  [
    'no limit that does no harm',
    ["(00.1) Error (criu/rst.c:1): Can't setup RLIMIT_NOFILE", FILE],
    'criu: File /x has bad size',
  ],
])('of a log of criu what counts is %s', (_, lines, line) => {
  expect(decisiveLine(lines)).toBe(line)
})
