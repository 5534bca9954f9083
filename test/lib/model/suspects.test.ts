import { expect, test } from 'vitest'
import { suspects } from '../../../lib/model/suspects.ts'

const process = (pid: number, cpuPercent: number, memPercent: number, runtimeHours: number) => ({
  pid,
  user: 'operator',
  command: 'x',
  cpuPercent,
  memPercent,
  rssBytes: 0,
  runtimeHours,
})

test('what has just begun to spin stands before a daemon of a month', () => {
  const daemon = process(1, 0, 0.1, 720)
  const spinner = process(2, 99, 0.1, 0)
  const hog = process(3, 0, 40, 1)
  expect(suspects([daemon, spinner, hog], 0, 10).map(({ pid, action }) => [pid, action])).toEqual([
    [2, 'throttle'],
    [3, 'none'],
    [1, 'none'],
  ])
})

test('no more than asked for are shown', () => {
  expect(suspects([process(1, 0, 0, 1), process(2, 0, 0, 2)], 1, 1).map(({ pid }) => pid)).toEqual([2])
})
