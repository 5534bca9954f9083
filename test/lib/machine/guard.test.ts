import { expect, test } from 'vitest'
import { guard } from '../../../lib/machine/guard.ts'
import type { LiveProcess } from '../../../lib/machine/live-processes.ts'

const mine: LiveProcess = {
  pid: 500,
  parent: 1,
  uid: 1000,
  command: 'stress-ng',
  kernel: false,
  start: '1',
  stopped: false,
}
const session = { uid: 1000, line: new Set([600, 550, 1]) }

test("a process of one's own may be touched", () => {
  expect(guard(mine, session, false)).toBeUndefined()
})

test.each([
  ['PID 1', { pid: 1, command: 'init' }, /^PID 1 \(init\) is the first process/],
  ['a kernel thread', { kernel: true, uid: 0 }, /a thread of the kernel$/],
  ['this program', { pid: 600 }, /is this program or what it was started from$/],
  ['the shell it was started from', { pid: 550 }, /is this program or what it was started from$/],
  ['sshd', { command: 'sshd' }, /ssh server/],
  ['a session of sshd', { command: 'sshd-session' }, /ssh server/],
  ["a Mac's sshd", { command: '/usr/sbin/sshd' }, /ssh server/],
  ['a session as a Mac shows it', { command: 'sshd: operator@ttys000' }, /ssh server/],
] as const)('%s is refused, by its name, also with --force', (_, change, reason) => {
  for (const force of [false, true]) expect(guard({ ...mine, ...change }, session, force)).toMatch(reason)
})

test("another user's process is refused without --force, also to root", () => {
  const theirs = { ...mine, uid: 1001 }
  expect(guard(theirs, session, false)).toMatch(/another user \(uid 1001\): say --force/)
  expect(guard(theirs, { uid: 0, line: session.line }, false)).toMatch(/another user/)
  expect(guard(theirs, session, true)).toBeUndefined()
})

test('a name full of escape codes is shown plain', () => {
  expect(guard({ ...mine, kernel: true, command: '\u001B[2Jx' }, session, false)).toMatch(/^PID 500 \(x\) /)
})
