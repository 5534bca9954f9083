import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Family, Kin } from '../../../../lib/machine/process-tree.ts'
import type { Process } from '../../../../lib/model/process.ts'
import { unitsOf } from '../../../../lib/work/rebalance/units.ts'

type Given = Partial<Kin> & { command?: string; cpu?: number }

/** A machine on which user 1000 asks by PID 500, the child of an ssh server's 400. */
function machine(given: Record<number, Given>): { processes: Process[]; family: Family } {
  const all: Record<number, Given> = {
    1: { parent: 0, command: 'systemd', uid: 0 },
    2: { parent: 0, command: 'kthreadd', uid: 0, kernel: true },
    400: { parent: 1, command: 'sshd-session' },
    500: { parent: 400, session: 500, command: 'sh' },
    ...given,
  }
  const kin = new Map(
    Object.entries(all).map(([pid, { command: _command, cpu: _cpu, ...more }]): [number, Kin] => [
      Number(pid),
      {
        parent: 1,
        session: Number(pid),
        terminal: 0,
        uid: 1000,
        kernel: false,
        stopped: false,
        start: `${pid}0`,
        ...more,
      },
    ]),
  )
  const processes = Object.entries(all).map(([pid, { command = 'work', cpu = 10 }]) => ({
    pid: Number(pid),
    user: 'operator',
    command,
    cpuPercent: cpu,
    memPercent: 1,
    rssBytes: 1000,
    runtimeHours: Number(pid) / 100,
  }))
  return {
    processes,
    family: { boot: 'boot', asker: { uid: 1000, line: new Set([500, 400, 1]) }, kin, held: [] },
  }
}

function units(given: Record<number, Given>, held: number[] = [], withTerminals = false) {
  const { processes, family } = machine(given)
  return unitsOf(processes, family, new Set(held), withTerminals)
}
const topOf = (pid: number, given: Record<number, Given>, held: number[] = [], withTerminals = false) =>
  units(given, held, withTerminals).find((unit) => unit.pid === pid)
/** The units of these processes, each as its top and the others in it. */
const groups = (given: Record<number, Given>, held: number[] = []) =>
  units(given, held)
    .filter(({ pid }) => pid in given)
    .map(({ pid, members }) => [pid, ...members.filter((each) => each !== pid)].join(' '))

test.each<[string, Record<number, Given>, string[]]>([
  ['a program and its worker are one', { 10: {}, 11: { parent: 10, session: 10 } }, ['10 11']],
  [
    'a program, its workers in sessions of their own, and theirs are one',
    { 10: {}, 11: { parent: 10 }, 12: { parent: 11 } },
    ['10 11 12'],
  ],
  [
    'a script and what it runs are one',
    { 10: { command: 'sh' }, 11: { parent: 10, session: 10 } },
    ['10 11'],
  ],
  [
    'what a script has begun in a session of its own is one with the script, which waits for it',
    { 10: { command: 'sh' }, 11: { parent: 10, session: 11 } },
    ['10 11'],
  ],
  [
    'each job of a shell with a terminal stands alone',
    {
      10: { command: 'bash', terminal: 34_816 },
      11: { parent: 10, session: 10, terminal: 34_816 },
      12: { parent: 10, session: 10, terminal: 34_816 },
    },
    ['10', '11', '12'],
  ],
  [
    'what cron has begun is not one with cron',
    { 10: { command: 'cron' }, 11: { parent: 10, command: 'sh' }, 12: { parent: 11, session: 11 } },
    ['10', '11 12'],
  ],
  ['another user begins where the user changes', { 10: {}, 11: { parent: 10, uid: 1001 } }, ['10', '11']],
  ['what who asks has begun is not one with that', { 11: { parent: 500, session: 500 } }, ['11']],
  [
    'two that are each other’s parents are one of a kind',
    { 10: { parent: 11 }, 11: { parent: 10 } },
    ['11 10'],
  ],
])('%s', (_, given, expected) => {
  expect(groups(given)).toEqual(expected)
})

test('a unit uses what its processes use together, and has run for as long as its first', () => {
  const unit = topOf(10, { 10: { cpu: 0 }, 11: { parent: 10, cpu: 95 }, 12: { parent: 10, cpu: 90 } })
  expect(unit).toMatchObject({
    pid: 10,
    start: '100',
    cpuPercent: 185,
    memPercent: 3,
    rssBytes: 3000,
    runtimeHours: 0.1,
  })
})

test('what is held back by a record of its own is a unit, and the one around it does not move', () => {
  const given = { 10: {}, 11: { parent: 10 }, 12: { parent: 11 } }
  expect(groups(given, [11])).toEqual(['10', '11 12'])
  expect(topOf(10, given, [11])?.immovable).toBe('it has started PID 11, which is work of its own')
})

test('one process with a terminal keeps its unit where it is, and no other', () => {
  const given = { 10: {}, 11: { parent: 10, terminal: 34_816 }, 20: {} }
  expect(topOf(10, given)?.immovable).toMatch(/terminal/)
  expect(topOf(10, given, [], true)).not.toHaveProperty('immovable')
  expect(topOf(20, given)).not.toHaveProperty('immovable')
})

test.each<[string, Record<number, Given>, number, RegExp]>([
  ['the first process', {}, 1, /first process/],
  ['a thread of the kernel', { 3: { parent: 2, kernel: true } }, 3, /thread of the kernel/],
  ['who asks', {}, 500, /this program or what it was started from/],
  ['an ssh server', { 10: { command: 'sshd' } }, 10, /ssh server/],
  ['another user’s', { 10: { uid: 0 } }, 10, /another user/],
  ['one of whom nobody knows the user', { 10: { uid: undefined } }, 10, /another user/],
  [
    'what has begun who is guarded, at whatever distance',
    { 10: { command: 'sh' }, 11: { parent: 10, command: 'sh' }, 12: { parent: 11, command: 'sshd' } },
    10,
    /ssh server/,
  ],
])('%s is guarded', (_, given, pid, why) => {
  expect(topOf(pid, given)?.guarded).toMatch(why)
})

test('work of one’s own is neither guarded nor kept', () => {
  const unit = topOf(10, { 10: {}, 11: { parent: 10 } })
  expect(unit).not.toHaveProperty('guarded')
  expect(unit).not.toHaveProperty('immovable')
})

test('whatever a machine says, each process is in one unit, and a unit is named by one of its own', () => {
  const pid = fc.integer({ min: 1, max: 40 })
  const given = fc.dictionary(
    pid.map(String),
    fc.record({
      parent: pid,
      session: pid,
      uid: fc.constantFrom(0, 1000),
      command: fc.constantFrom('work', 'sh', 'cron', 'sshd'),
      terminal: fc.constantFrom(0, 5),
    }),
  )
  fc.assert(
    fc.property(given, fc.array(pid), (all, held) => {
      const { processes, family } = machine(all)
      const found = unitsOf(processes, family, new Set(held))
      const members = found.flatMap((unit) => unit.members)
      expect(members.toSorted((a, b) => a - b)).toEqual(
        processes.map((each) => each.pid).toSorted((a, b) => a - b),
      )
      for (const unit of found) expect(unit.members).toContain(unit.pid)
    }),
  )
})

test('a chain of 20,000 processes is one unit, whichever comes first', () => {
  const chain = Array.from({ length: 20_000 }, (_, index) => [1000 + index, { parent: 999 + index }] as const)
  const { processes, family } = machine({ ...Object.fromEntries(chain), 1000: { parent: 1 } })
  for (const given of [processes, processes.toReversed()])
    expect(unitsOf(given, family).find(({ pid }) => pid === 1000)?.members).toHaveLength(20_000)
})
