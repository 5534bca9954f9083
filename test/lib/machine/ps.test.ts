import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePs } from '../../../lib/machine/ps.ts'

const USAGE = [
  '  PID  %CPU %MEM COMM',
  '    1   0.0  0.1 /sbin/launchd',
  ' 4242  97.5  1.2 /Applications/My App.app/Contents/MacOS/My App',
  'bad',
].join('\n')
const DETAILS = [
  '  PID    RSS     ELAPSED USER',
  '    1  12345 12-03:04:05 root',
  ' 4242   2048       01:30 operator',
].join('\n')

test('the lists are read by columns, whatever blanks stand in front and in the command', () => {
  expect(parsePs(USAGE, DETAILS)).toEqual([
    {
      pid: 1,
      command: '/sbin/launchd',
      cpuPercent: 0,
      memPercent: 0.1,
      rssBytes: 12_345 * 1024,
      runtimeHours: 12 * 24 + 3 + 4 / 60 + 5 / 3600,
      user: 'root',
    },
    {
      pid: 4242,
      command: '/Applications/My App.app/Contents/MacOS/My App',
      cpuPercent: 97.5,
      memPercent: 1.2,
      rssBytes: 2048 * 1024,
      runtimeHours: 90 / 3600,
      user: 'operator',
    },
  ])
})

test('a process that only the first list has is there all the same', () => {
  expect(parsePs(USAGE, '')[1]).toMatchObject({ pid: 4242, cpuPercent: 97.5, user: '?', runtimeHours: 0 })
})

test('any text gives finite numbers or nothing', () => {
  const line = fc.oneof(
    fc.string(),
    fc.tuple(fc.nat(), fc.float(), fc.float(), fc.string()).map((parts) => parts.join(' ')),
  )
  const lines = fc.array(line).map((texts) => texts.join('\n'))
  fc.assert(
    fc.property(lines, lines, (usage, details) => {
      for (const { cpuPercent, memPercent, runtimeHours } of parsePs(usage, details))
        for (const value of [cpuPercent, memPercent, runtimeHours]) expect(Number.isFinite(value)).toBe(true)
    }),
  )
})

test("a BSD's idle process and threads of its kernel are no suspects; programs of such names on their paths are", () => {
  const usage = [
    '   0   0.0  0.1 kernel',
    '   1   0.0  0.1 init',
    '  11 758.4  0.0 idle',
    '  12   3.0  0.0 intr',
    '  17   1.0  0.0 bufdaemon',
    ' 900  40.0  1.0 idle-monitor',
    ' 901  30.0  1.0 /usr/local/bin/idle',
    ' 902  20.0  1.0 python3.11',
  ].join('\n')
  expect(parsePs(usage, '').map(({ pid }) => pid)).toEqual([1, 900, 901, 902])
})
