import type { Measurement } from '../../machine/measurement.ts'
import type { Change, Marks } from '../../machine/reservations/reservations.ts'
import { plain } from '../../base/text.ts'

/** Bytes of a record. The server takes no longer one, and a reader looks into none. */
export const MOST_RECORD_BYTES = 16_384

/** Those that came and went last; a record is told within its bounds, and the older ones weigh least. */
const MOST_CHANGES = 100
const VERSION = 1

/** Between two records of one machine: as its agent takes it. */
const INTERVAL_SECONDS = { least: 1, most: 50 }

/** What a machine says of itself, as it stands in the bucket. There is no trit in it: who reads makes that. */
export function recordText(node: string, measurement: Measurement, intervalSeconds: number): string {
  const { receiver, ...load } = measurement
  const marks = receiver && {
    ...receiver,
    ...(receiver.closed === undefined ? {} : { closed: plain(receiver.closed, 200) }),
    arrivals: latest(receiver.arrivals),
    ...(receiver.departures ? { departures: latest(receiver.departures) } : {}),
  }
  return JSON.stringify({
    version: VERSION,
    node,
    intervalSeconds,
    ...load,
    ...(marks ? { receiver: marks } : {}),
  })
}

function latest(changes: readonly Change[]): Change[] {
  return changes.toSorted((one, other) => one.secondsAgo - other.secondsAgo).slice(0, MOST_CHANGES)
}

export type MachineRecord = { measurement: Measurement; intervalSeconds: number }

/** What stands under a key is no record of that machine. The message is one line, of this program's own words. */
export class BadRecord extends Error {
  override name = 'BadRecord'
}

/**
 * What a machine has put under its key, however it came there. What else is in it is left out.
 *
 * @throws BadRecord
 */
export function parseRecord(key: string, value: Uint8Array): MachineRecord {
  if (value.length > MOST_RECORD_BYTES)
    throw new BadRecord(`its record has ${value.length} bytes, more than the ${MOST_RECORD_BYTES} of one`)
  const fields = fieldsOf(documentOf(value), 'its record')
  if (fields['version'] !== VERSION) throw new BadRecord('its record is of a version that is not known here')
  if (fields['node'] !== key) throw new BadRecord('its record is not of the machine that its key names')
  const { os } = fields
  if (typeof os !== 'string' || !/^[A-Za-z0-9._-]{1,32}$/.test(os)) throw wrong('os')
  const optional = {
    usableCpus: maybe(fields, 'usableCpus', isCount),
    quotaCpus: maybe(fields, 'quotaCpus', (cpus) => cpus > 0),
    uptimeSeconds: maybe(fields, 'uptimeSeconds'),
    availableBytes: maybe(fields, 'availableBytes'),
  }
  const known = Object.entries(optional).filter(([, each]) => each !== undefined)
  const measurement: Measurement = {
    os,
    load1: number(fields, 'load1'),
    load5: number(fields, 'load5'),
    load15: number(fields, 'load15'),
    cpus: number(fields, 'cpus', isCount),
    ...Object.fromEntries(known),
    ...(fields['pressure'] === undefined ? {} : { pressure: pressureOf(fields['pressure']) }),
    ...(fields['receiver'] === undefined ? {} : { receiver: marksOf(fields['receiver']) }),
  }
  const { least, most } = INTERVAL_SECONDS
  const intervalSeconds = number(fields, 'intervalSeconds', (seconds) => seconds >= least && seconds <= most)
  return { measurement, intervalSeconds }
}

/** The same marks some seconds later. */
export function marksAfter(marks: Marks, seconds: number): Marks {
  const later = (changes: readonly Change[]) =>
    changes.map((change) => ({ ...change, secondsAgo: Math.round(change.secondsAgo + seconds) }))
  const { reserved, departures, ...others } = marks
  const left = reserved && Math.round(reserved.secondsLeft - seconds)
  return {
    ...others,
    arrivals: later(marks.arrivals),
    ...(departures ? { departures: later(departures) } : {}),
    ...(reserved && left !== undefined && left > 0 ? { reserved: { ...reserved, secondsLeft: left } } : {}),
  }
}

type Fields = Readonly<Record<string, unknown>>

function documentOf(value: Uint8Array): unknown {
  try {
    const document: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value))
    return document
  } catch {
    throw new BadRecord('its record is no JSON')
  }
}

function wrong(name: string): BadRecord {
  return new BadRecord(`its record has no valid ${name}`)
}

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadRecord(`${name} is no object`)
  return { ...value }
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1

/** Numbers of machines are none that arithmetic can't be done with. */
function number(fields: Fields, name: string, fits: (value: number) => boolean = () => true): number {
  const value = fields[name]
  if (typeof value !== 'number' || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER) || !fits(value))
    throw wrong(name)
  return value
}

function maybe(fields: Fields, name: string, fits?: (value: number) => boolean): number | undefined {
  return fields[name] === undefined ? undefined : number(fields, name, fits)
}

function pressureOf(value: unknown) {
  const fields = fieldsOf(value, 'the pressure in its record')
  const isPercent = (percent: number) => percent <= 100
  const some10 = maybe(fields, 'some10', isPercent)
  return { ...(some10 === undefined ? {} : { some10 }), some60: number(fields, 'some60', isPercent) }
}

function marksOf(value: unknown): Marks {
  const fields = fieldsOf(value, 'the receiver in its record')
  const { closed } = fields
  if (closed !== undefined && typeof closed !== 'string') throw wrong('receiver.closed')
  return {
    arrivals: changesOf(fields['arrivals'], 'arrivals'),
    ...(fields['departures'] === undefined
      ? {}
      : { departures: changesOf(fields['departures'], 'departures') }),
    ...(closed === undefined ? {} : { closed: plain(closed) }),
    ...(fields['reserved'] === undefined ? {} : { reserved: reservedOf(fields['reserved']) }),
  }
}

function reservedOf(value: unknown) {
  const fields = fieldsOf(value, 'the receiver.reserved in its record')
  const { owner } = fields
  if (typeof owner !== 'string' || !/^[a-z0-9-]{1,64}$/.test(owner)) throw wrong('receiver.reserved.owner')
  return { owner, secondsLeft: number(fields, 'secondsLeft'), cpu: number(fields, 'cpu') }
}

function changesOf(value: unknown, name: string): Change[] {
  if (!Array.isArray(value) || value.length > MOST_CHANGES) throw wrong(`receiver.${name}`)
  return value.map((each) => {
    const fields = fieldsOf(each, `one of the receiver.${name} in its record`)
    const change = { secondsAgo: number(fields, 'secondsAgo'), cpu: number(fields, 'cpu') }
    const pid = maybe(fields, 'pid', isCount)
    return pid === undefined ? change : { ...change, pid }
  })
}
