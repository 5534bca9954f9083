import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scumProcesses, shares, userNames, type Snapshot } from '../../../lib/machine/processes.ts'

const nobody = () => 'nobody'
const MACHINE = { memoryBytes: 1000 * 4096, pageBytes: 4096, ticksPerSecond: 100, probePid: 99 }

/** One process as grep prints its `/proc/PID/stat`. Fields are numbered as in proc(5). */
function stat(
  pid: number,
  command: string,
  options: { cpu?: number; start?: number; rss?: number; parent?: number } = {},
) {
  const { cpu = 0, start = 5, rss = 10, parent = 1 } = options
  const fields = [
    'S',
    parent,
    pid,
    pid,
    0,
    -1,
    0,
    0,
    0,
    0,
    0,
    cpu,
    0,
    0,
    0,
    20,
    0,
    1,
    0,
    start,
    9_999,
    rss,
    0,
  ]
  const text = `${pid} (${command}) ${fields.join(' ')}`
  return text
    .split('\n')
    .map((line) => `/proc/${pid}/stat:${line}\n`)
    .join('')
}
const ALIKE = { user: 'nobody', memPercent: 1, rssBytes: 40_960, runtimeHours: (100.5 - 0.05) / 3600 }
const at = (uptimeSeconds: number, ...stats: string[]): Snapshot => ({ uptimeSeconds, stats: stats.join('') })

test('CPU is what was used between the samples, not in the whole life', () => {
  const before = at(100, stat(7, 'spinner', { cpu: 0 }), stat(8, 'retired', { cpu: 900_000 }))
  const after = at(100.5, stat(7, 'spinner', { cpu: 50 }), stat(8, 'retired', { cpu: 900_000 }))
  expect(shares(before, after, MACHINE, nobody)).toEqual([
    { ...ALIKE, pid: 7, command: 'spinner', cpuPercent: 100 },
    { ...ALIKE, pid: 8, command: 'retired', cpuPercent: 0 },
  ])
})

test('a process that began between the samples counts from zero', () => {
  expect(shares(at(10), at(11, stat(7, 'new', { cpu: 40 })), MACHINE, nobody)[0]?.cpuPercent).toBeCloseTo(40)
})

test('a PID that was another process before counts from zero', () => {
  const before = at(10, stat(7, 'old', { cpu: 30, start: 1 }))
  expect(
    shares(before, at(11, stat(7, 'new', { cpu: 40, start: 2 })), MACHINE, nobody)[0]?.cpuPercent,
  ).toBeCloseTo(40)
})

test('a process that is gone, the probe and its children are not there', () => {
  const before = at(10, stat(7, 'gone'), stat(99, 'sh'))
  expect(shares(before, at(11, stat(99, 'sh'), stat(100, 'grep', { parent: 99 })), MACHINE, nobody)).toEqual(
    [],
  )
})

test('samples without time between them give no shares', () => {
  expect(shares(at(10, stat(7, 'a')), at(10, stat(7, 'a', { cpu: 9 })), MACHINE, nobody)).toEqual([])
  expect(shares(at(10, stat(7, 'a')), at(9, stat(7, 'a', { cpu: 9 })), MACHINE, nobody)).toEqual([])
})

test.each(['a b', 'x) S 1 (y', 'line\nbreak', '\n/proc/1/stat:1 (init', ') R 2 3', '', '((', 'ü\u001B[31m'])(
  'a command named %j stays one process with its own numbers',
  (command) => {
    const found = shares(at(10), at(11, stat(7, command, { cpu: 40 }), stat(8, 'next')), MACHINE, nobody)
    expect(found.map(({ pid }) => pid)).toEqual([7, 8])
    expect(found[0]).toMatchObject({ command, memPercent: 1 })
    expect(found[0]?.cpuPercent).toBeCloseTo(40)
  },
)

test('any text in the place of a stat gives finite shares or nothing', () => {
  const line = fc.oneof(
    fc.string(),
    fc.tuple(fc.nat(99_999), fc.string({ unit: 'binary' })).map(([pid, text]) => `/proc/${pid}/stat:${text}`),
    fc.tuple(fc.nat(99_999), fc.string({ maxLength: 15 })).map(([pid, command]) => stat(pid, command)),
  )
  fc.assert(
    fc.property(fc.array(line), fc.array(line), (first, second) => {
      for (const { cpuPercent } of shares(at(1, first.join('\n')), at(2, second.join('\n')), MACHINE, nobody))
        expect(cpuPercent).toBeGreaterThanOrEqual(0)
    }),
  )
})

test('the monitor counts what is above 30 %, not at it, the busiest first', () => {
  const process = (pid: number, cpuPercent: number) => ({
    ...ALIKE,
    pid,
    command: 'x',
    cpuPercent,
    memPercent: 90,
  })
  const found = scumProcesses([process(1, 30), process(2, 30.1), process(3, 250), process(4000, 0)])
  expect(found.map(({ pid }) => pid)).toEqual([3, 2])
})

test('a user is named by the database, by number where it has no name, and not at all where nobody knows', () => {
  const owners =
    '/proc/7/status:Uid:\t0\t0\t0\t0\n/proc/8/status:Uid:\t1000\t0\t0\t0\n/proc/9/status:Uid:\t77\t77\t77\t77\n'
  const userOf = userNames(
    owners,
    'root:x:0:0:root:/root:/bin/sh\noperator:x:1000:1000::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n',
  )
  expect([7, 8, 9, 10].map(userOf)).toEqual(['root', 'operator', '77', '?'])
})

test('whatever vanishes, appears or is born again between the samples, each share is that of one process', () => {
  const one = fc.record({
    pid: fc.integer({ min: 1, max: 9 }),
    cpu: fc.nat(500),
    start: fc.integer({ min: 1, max: 3 }),
  })
  const crowd = fc.uniqueArray(one, { selector: ({ pid }) => pid })
  fc.assert(
    fc.property(crowd, crowd, fc.double({ min: 0.1, max: 100, noNaN: true }), (first, second, seconds) => {
      const lines = (each: typeof first) => each.map(({ pid, cpu, start }) => stat(pid, 'x', { cpu, start }))
      const found = shares(at(100, ...lines(first)), at(100 + seconds, ...lines(second)), MACHINE, nobody)
      expect(found.map(({ pid }) => pid)).toEqual(second.map(({ pid }) => pid))
      for (const [index, { cpuPercent }] of found.entries())
        expect(cpuPercent).toBeLessThanOrEqual((second[index]?.cpu ?? 0) / (100 + seconds - 100) + 1e-9)
    }),
  )
})
