import { expect, test } from 'vitest'
import type { LiveProcess } from '../../../../lib/machine/live-processes.ts'
import { keyOf, stoppedNow, toContinue } from '../../../../lib/machine/throttle/means.ts'

function process(pid: number, { stopped = false, start = `${pid}0` } = {}): LiveProcess {
  return { pid, parent: 1, uid: 0, command: 'work', kernel: false, start, stopped }
}
const pids = (all: readonly LiveProcess[]) => all.map(({ pid }) => pid)

test('a process is known by its PID and its start, so that a later one with its PID is another', () => {
  expect(keyOf(process(7))).not.toBe(keyOf(process(7, { start: '71' })))
})

test('what runs is continued, and what somebody else had stopped is not', () => {
  const undo = stoppedNow([process(7), process(8, { stopped: true })])
  const now = [process(7, { stopped: true }), process(8, { stopped: true })]
  expect(pids(toContinue(now, now, undo))).toEqual([7])
})

test('a child that was born since is continued', () => {
  const undo = stoppedNow([process(7)])
  const now = [process(7, { stopped: true }), process(9, { stopped: true })]
  expect(pids(toContinue(now, now, undo))).toEqual([7, 9])
})

test('one that has lost its parent since, and is in no tree any more, is continued, and no stranger is', () => {
  const undo = stoppedNow([process(7), process(8)])
  const all = [process(8, { stopped: true }), process(50, { stopped: true })]
  expect(pids(toContinue(all, [], undo))).toEqual([8])
})

test('a later process with the PID of one that was held is left alone', () => {
  const undo = stoppedNow([process(8)])
  expect(toContinue([process(8, { stopped: true, start: '99' })], [], undo)).toEqual([])
})
