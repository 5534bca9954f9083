import { expect, test } from 'vitest'
import { connectMsBeforeAnswer, connectMsBeforeWork } from '../../../lib/mesh/connect-time.ts'
import { sshArguments } from '../../../lib/mesh/ssh.ts'

test.each([
  [10_000, 5000],
  [1000, 500],
  [60_000, 30_000],
])('of %d ms for an answer, connecting may take %d', (leftMs, connectMs) => {
  expect(connectMsBeforeAnswer(leftMs)).toBe(connectMs)
})

test.each([
  [5000, 5000],
  [10_000, 10_000],
  [60_000, 10_000],
])('where %d ms are to reach a machine, connecting may take %d', (timeoutMs, connectMs) => {
  expect(connectMsBeforeWork(timeoutMs)).toBe(connectMs)
})

test.each([
  [1, 'ConnectTimeout=1'],
  [500, 'ConnectTimeout=1'],
  [2500, 'ConnectTimeout=3'],
])('of %d ms ssh is told %s: whole seconds, and never none, which would mean without end', (ms, option) => {
  expect(sshArguments({ host: 'n2' }, 'true', ms / 1000, {})).toContain(option)
})
