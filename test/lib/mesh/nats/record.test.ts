import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reportOf } from '../../../../lib/mesh/nats/mesh.ts'
import { BadRecord, MOST_RECORD_BYTES, parseRecord, recordText } from '../../../../lib/mesh/nats/record.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const plainMachine = { os: 'linux', load1: 0.4, load5: 1, load15: 2.5, cpus: 4 }
const whole = {
  ...plainMachine,
  usableCpus: 2,
  quotaCpus: 1.5,
  uptimeSeconds: 1000,
  pressure: { some10: 1.5, some60: 20 },
  availableBytes: 2 ** 40,
  receiver: {
    closed: 'lunch',
    reserved: { owner: 'n2', secondsLeft: 60, cpu: 1 },
    arrivals: [{ secondsAgo: 4, cpu: 0.5, pid: 4711 }],
    departures: [{ secondsAgo: 8, cpu: 1 }],
  },
}
const record = (more: object) =>
  bytes(JSON.stringify({ version: 1, node: 'n1', intervalSeconds: 10, ...more }))

test.each([plainMachine, whole])('a machine is read as it has said', (measurement) => {
  expect(parseRecord('n1', bytes(recordText('n1', measurement, 10)))).toEqual({
    measurement,
    intervalSeconds: 10,
  })
})

test('a record fits its bounds, however much came and whatever was said of why a machine is closed', () => {
  const changes = Array.from({ length: 1000 }, (_, index) => ({
    secondsAgo: 600 - (index % 600),
    cpu: 0.123_456_7,
    pid: 4_000_000,
  }))
  const text = recordText(
    'n'.repeat(63),
    { ...whole, receiver: { arrivals: changes, departures: changes, closed: '\u001B[31m"\\'.repeat(5000) } },
    50,
  )
  expect(bytes(text).length).toBeLessThan(MOST_RECORD_BYTES)
  const { receiver } = parseRecord('n'.repeat(63), bytes(text)).measurement
  expect(receiver?.arrivals).toHaveLength(100)
  // Those that weigh most are told.
  expect(receiver?.arrivals[0]?.secondsAgo).toBe(1)
  expect(receiver?.closed).not.toContain('\u001B')
})

test.each([
  ['', /no JSON/],
  ['{"version":1', /no JSON/],
  ['[]', /is no object/],
  ['null', /is no object/],
  ['{}', /of a version that is not known/],
  ['{"version":2,"node":"n1"}', /of a version that is not known/],
])('%j is no record', (text, message) => {
  expect(() => parseRecord('n1', bytes(text))).toThrow(message)
})

test.each([
  [{ node: 'n2' }, /not of the machine that its key names/],
  [{ os: '\u001B[31mlinux' }, /no valid os/],
  [{ load1: -1 }, /no valid load1/],
  [{ load1: '0' }, /no valid load1/],
  [{ load5: null }, /no valid load5/],
  [{ load15: 1e300 }, /no valid load15/],
  [{ cpus: 0 }, /no valid cpus/],
  [{ cpus: 1.5 }, /no valid cpus/],
  [{ cpus: undefined }, /no valid cpus/],
  [{ usableCpus: 0 }, /no valid usableCpus/],
  [{ quotaCpus: 0 }, /no valid quotaCpus/],
  [{ pressure: { some60: 101 } }, /no valid some60/],
  [{ pressure: 1 }, /is no object/],
  [{ intervalSeconds: 100_000 }, /no valid intervalSeconds/],
  [{ receiver: {} }, /no valid receiver\.arrivals/],
  [{ receiver: { arrivals: Array.from({ length: 101 }, () => ({})) } }, /no valid receiver\.arrivals/],
  [{ receiver: { arrivals: [{ secondsAgo: 1, cpu: 'x' }] } }, /no valid cpu/],
  [{ receiver: { arrivals: [], closed: 1 } }, /no valid receiver\.closed/],
  [
    { receiver: { arrivals: [], reserved: { owner: '$(x)', secondsLeft: 1, cpu: 1 } } },
    /no valid receiver\.reserved\.owner/,
  ],
])('%j in a record makes it none', (more, message) => {
  expect(() => parseRecord('n1', record({ ...plainMachine, ...more }))).toThrow(message)
})

test('what is longer than a record, or no text, is none', () => {
  const long = record({ ...plainMachine, more: 'x'.repeat(MOST_RECORD_BYTES) })
  expect(() => parseRecord('n1', long)).toThrow(/bytes, more than/)
  expect(() => parseRecord('n1', new Uint8Array([0xff, 0xfe]))).toThrow(/no JSON/)
})

test('whatever stands under a key, it is a record or a reason of plain words', () => {
  const machine = fc.record(
    {
      version: fc.constantFrom(1, 2),
      node: fc.constantFrom('n1', 'n2'),
      os: fc.string(),
      load1: fc.oneof(fc.double(), fc.jsonValue()),
      cpus: fc.oneof(fc.integer(), fc.jsonValue()),
      receiver: fc.jsonValue(),
      pressure: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  const anything = fc.oneof(
    fc.uint8Array(),
    fc.jsonValue().map((value) => bytes(JSON.stringify(value))),
    machine.map((value) => bytes(JSON.stringify(value))),
  )
  fc.assert(
    fc.property(anything, (value) => {
      try {
        const { measurement } = parseRecord('n1', value)
        expect(measurement.load1 / measurement.cpus).toBeGreaterThanOrEqual(0)
      } catch (error) {
        expect(error).toBeInstanceOf(BadRecord)
        expect(String(error)).toMatch(/^[ -~]*$/)
      }
    }),
  )
})

const entry = (key: string, ageMs: number, intervalSeconds = 10) => ({
  key,
  createdMs: 1_000_000 - ageMs,
  value: bytes(recordText(key, whole, intervalSeconds)),
})

test.each([
  [34_000, 10, 'ok'],
  [36_000, 10, 'timeout'],
  [9000, 1, 'timeout'],
  [149_000, 50, 'ok'],
  [151_000, 50, 'timeout'],
  // By the server's clock nothing is of the future, but a restarted one may have been set back.
  [-5000, 10, 'ok'],
])('a record that is %i ms old, of one each %i s, is %s', (ageMs, intervalSeconds, outcome) => {
  expect(reportOf(entry('n1', ageMs, intervalSeconds), 1_000_000)).toMatchObject({ outcome })
})

test('marks are as old as their record', () => {
  const report = reportOf(entry('n1', 20_000), 1_000_000)
  expect(report).toMatchObject({
    ageMs: 20_000,
    measurement: {
      receiver: {
        closed: 'lunch',
        reserved: { secondsLeft: 40 },
        arrivals: [{ secondsAgo: 24, cpu: 0.5, pid: 4711 }],
        departures: [{ secondsAgo: 28 }],
      },
    },
  })
  // What was reserved for a minute is not reserved after it.
  const later = reportOf(entry('n1', 70_000, 50), 1_000_000)
  expect(later).toMatchObject({ outcome: 'ok', measurement: { receiver: { arrivals: [{}] } } })
  expect(JSON.stringify(later)).not.toContain('reserved')
})

test.each(['n1\u001B[31m', '*', 'a..b', '.a', 'a b', '$(touch x)', 'n:1', 'é', 'x'.repeat(64), ''])(
  'a key %j is no name, and is told as text that is like no name',
  (key) => {
    const report = reportOf(entry(key, 0), 1_000_000)
    expect(report).toMatchObject({ outcome: 'bad-output', node: { address: '', self: false } })
    expect(report.node.name).toMatch(/^[!-~]*$/)
    expect(report.node).not.toHaveProperty('ssh')
  },
)
