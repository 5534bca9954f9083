import { expect, test } from 'vitest'
import type { Report } from '../../../../lib/mesh/node.ts'
import { observed } from '../../../../lib/work/rebalance/observe.ts'

const NOW = new Date('2026-01-01T00:01:00Z')
const RECORD = {
  id: '10-a',
  pid: 10,
  start: '100',
  boot: 'boot',
  command: 'work',
  means: 'pause',
  state: 'held',
  writer: { pid: 1, start: '1' },
  since: '2026-01-01T00:00:00.000Z',
  undo: {},
}

/** A report of a machine with one process, 10. */
function report(
  more: Partial<Extract<Report, { outcome: 'ok' }>['measurement']> = {},
  held: string[] = [],
): Report {
  const kin = { parent: 1, session: 10, terminal: 0, uid: 0, kernel: false, stopped: false, start: '100' }
  return {
    node: { name: 'n1', address: '', os: 'linux', self: false },
    outcome: 'ok',
    measurement: { os: 'linux', load1: 1, load5: 1, load15: 1, cpus: 2, availableBytes: 5, ...more },
    processes: [
      { pid: 10, user: 'root', command: 'work', cpuPercent: 1, memPercent: 1, rssBytes: 1, runtimeHours: 1 },
    ],
    family: { boot: 'boot', asker: { uid: 0, line: new Set() }, kin: new Map([[10, kin]]), held },
    ageMs: 0,
  }
}
const look = (given: Report, releases = true) => observed(given, 1500, NOW, () => releases)
const unit = (...lines: string[]) => look(report({}, lines)).node.processes[0]

test('a machine that gave no measurement is there, and has none', () => {
  const node = { name: 'n1', address: '', os: 'linux', self: false }
  expect(look({ node, outcome: 'timeout', reason: '' }).node).toEqual({
    name: 'n1',
    arrivals: [],
    departures: [],
    processes: [],
  })
})

test('its marks are told in milliseconds, and the process that has come is at rest', () => {
  const receiver = {
    reserved: { owner: 'a', secondsLeft: 9, cpu: 1 },
    arrivals: [
      { secondsAgo: 60, cpu: 1, pid: 10 },
      { secondsAgo: 7, cpu: 2, pid: 11 },
    ],
    departures: [{ secondsAgo: 300, cpu: 0.5 }],
  }
  expect(look(report({ receiver })).node).toMatchObject({
    measurement: { load1: 1, cpus: 2, ageMs: 1500 },
    freeMemoryBytes: 5,
    reservation: { owner: 'a', leftMs: 9000 },
    arrivals: [
      { cpu: 1, ageMs: 60_000 },
      { cpu: 2, ageMs: 7000 },
    ],
    departures: [{ cpu: 0.5, ageMs: 300_000 }],
    processes: [{ pid: 10, movedAgoMs: 60_000 }],
  })
})

test.each([
  ['is closed by its owner', { receiver: { closed: 'no', arrivals: [] } }],
  ['is not Linux', { os: 'macOS' }],
])('a machine that %s takes nothing', (_, more) => {
  expect(look(report(more)).node.closed).toBe(true)
  expect(look(report()).node).not.toHaveProperty('closed')
})

test('a record of this start of the machine, and of this very process, says that it is held and since when', () => {
  expect(unit(JSON.stringify(RECORD))?.held).toEqual({ how: 'paused', ageMs: 60_000 })
  expect(unit(JSON.stringify({ ...RECORD, means: 'renice', cpu: 2 }))?.held).toEqual({
    how: 'throttled',
    ageMs: 60_000,
    cpu: 2,
  })
})

test.each([
  ['of another start', JSON.stringify({ ...RECORD, boot: 'earlier' })],
  ['of another process with its PID', JSON.stringify({ ...RECORD, start: '99' })],
  ['of another process', JSON.stringify({ ...RECORD, pid: 9 })],
  ['that is none', '{"pid":10}'],
  ['that is no JSON', '{'],
])('a record %s holds nothing', (_, line) => {
  expect(unit(line)).not.toHaveProperty('held')
})

test('what can not be released from here is not woken', () => {
  const line = JSON.stringify({ ...RECORD, means: 'systemd' })
  expect(look(report({}, [line]), false).node.processes[0]?.guarded).toMatch(/only that machine itself/)
})
