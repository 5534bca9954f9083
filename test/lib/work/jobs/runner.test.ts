import { execa } from 'execa'
import { expect, test } from 'vitest'
import { nodeScript, parseReport } from '../../../../lib/work/jobs/runner.ts'

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
