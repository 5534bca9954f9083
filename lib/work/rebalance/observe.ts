import type { Report } from '../../mesh/node.ts'
import type { Marks } from '../../machine/reservations/reservations.ts'
import type { LoadChange, PlanNode } from '../../model/plan/snapshot.ts'
import { parseRecord, type HoldRecord } from '../../machine/throttle/record.ts'
import { unitsOf, type Unit } from './units.ts'

/** A node as the plan sees it, and what it takes to act there. */
export type Observed = {
  node: Omit<PlanNode, 'processes'> & { processes: Unit[] }
  held: HoldRecord[]
  boot: string
}

/**
 * What a report tells of a node. Processes are told of Linux machines only: nothing is done to those of others, and no
 * work is sent there.
 *
 * @param ageMs since the mesh was asked
 * @param releases whether what is held by these means can be released from here
 * @param withTerminals whether what has a terminal may move with it
 */
export function observed(
  report: Report,
  ageMs: number,
  now: Date,
  releases: (record: HoldRecord) => boolean,
  withTerminals = false,
): Observed {
  const { name } = report.node
  if (report.outcome !== 'ok') return { node: silent(name), held: [], boot: '' }
  const { measurement, family, processes = [] } = report
  const { load1, cpus, availableBytes, receiver = { arrivals: [] } } = measurement
  const records = (family?.held ?? []).flatMap((line) => parseRecord(line) ?? [])
  const held = records.filter(
    ({ pid, start, boot }) => boot === family?.boot && family.kin.get(pid)?.start === start,
  )
  const units = family ? unitsOf(processes, family, new Set(held.map(({ pid }) => pid)), withTerminals) : []
  for (const unit of units) {
    const record = held.find(({ pid }) => pid === unit.pid)
    if (record) hold(unit, record, now, releases(record))
    const came = receiver.arrivals.filter(({ pid }) => pid !== undefined && unit.members.includes(pid))
    if (came.length > 0) unit.movedAgoMs = 1000 * Math.min(...came.map(({ secondsAgo }) => secondsAgo))
  }
  const node = {
    name,
    measurement: { load1, cpus, ageMs },
    ...(availableBytes === undefined ? {} : { freeMemoryBytes: availableBytes }),
    ...(receiver.closed === undefined && measurement.os === 'linux' ? {} : { closed: true }),
    ...(receiver.reserved ? { reservation: reservationOf(receiver.reserved) } : {}),
    arrivals: receiver.arrivals.map((each) => aged(each)),
    departures: (receiver.departures ?? []).map((each) => aged(each)),
    processes: units,
  }
  return { node, held, boot: family?.boot ?? '' }
}

function silent(name: string): Observed['node'] {
  return { name, arrivals: [], departures: [], processes: [] }
}

function hold(unit: Unit, { means, since, cpu }: HoldRecord, now: Date, canRelease: boolean): void {
  const ageMs = Math.max(0, now.getTime() - Date.parse(since))
  const how = means === 'pause' ? 'paused' : 'throttled'
  unit.held = { how, ageMs, ...(cpu === undefined ? {} : { cpu }) }
  if (!canRelease) unit.guarded ??= `it is held by ${means}, which only that machine itself can release`
}

function reservationOf({ owner, secondsLeft }: NonNullable<Marks['reserved']>) {
  return { owner, leftMs: secondsLeft * 1000 }
}

function aged({ cpu, secondsAgo }: { cpu: number; secondsAgo: number }): LoadChange {
  return { cpu, ageMs: secondsAgo * 1000 }
}
