import { unseen } from '../load-average.ts'
import { ARRIVAL_REST_SECONDS, PROCESS_REST_SECONDS } from '../policy.ts'
import { tritOf, type Trit } from '../trit.ts'
import type { PlanNode, PlanOptions, PlanProcess } from './snapshot.ts'

/** A receiver takes one arrival in this time, in milliseconds: load1 needs that long to show it. */
export const ARRIVAL_GAP_MS = ARRIVAL_REST_SECONDS * 1000
/** A process that was moved or released is left alone for this time, in milliseconds. */
export const REST_MS = PROCESS_REST_SECONDS * 1000

/** A measured node, and what the actions planned so far will make of it. */
export type Forecast = {
  node: PlanNode
  name: string
  cpus: number
  /** As measured. */
  ratio: number
  trit: Trit
  /** The load that load1 is on its way to, with what was planned. */
  load: number
  /** CPUs that its processes used when it was measured: a process that has just begun is here before it is in load1. */
  busy: number
  /** Whether the plan sends, starts or wakes something here. */
  used: boolean
}

/** The nodes that count, by name: measured, and not too long ago. */
export function forecasts(nodes: readonly PlanNode[], { maxAgeMs }: PlanOptions): Forecast[] {
  return nodes
    .flatMap((node) => {
      const { measurement } = node
      if (!measurement || !(measurement.ageMs <= maxAgeMs)) return []
      return [forecastOf(node, measurement)]
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function forecastOf(node: PlanNode, { load1, cpus }: { load1: number; cpus: number }): Forecast {
  const coming = node.arrivals.reduce((sum, { cpu, ageMs }) => sum + cpu * unseen(ageMs), 0)
  const going = node.departures.reduce((sum, { cpu, ageMs }) => sum + cpu * unseen(ageMs), 0)
  // Sorted: the order of the processes, which means nothing, would show in the last digits of their sum.
  const shares = node.processes.map(({ cpuPercent }) => cpuPercent / 100).toSorted((a, b) => a - b)
  const busy = shares.reduce((sum, cpu) => sum + cpu, 0)
  const load = Math.max(0, load1 + coming - going)
  return {
    node,
    name: node.name,
    cpus,
    ratio: load1 / cpus,
    trit: tritOf(load1, cpus),
    load,
    busy,
    used: false,
  }
}

/**
 * The CPUs that a process would use elsewhere. Where there are more tasks than CPUs they share them: each of six
 * spinning processes on two CPUs shows 33 %, and would use a whole one.
 */
export function demandOf({ cpuPercent }: PlanProcess, { load, cpus }: Forecast): number {
  return (cpuPercent / 100) * Math.max(1, load / cpus)
}

/** The load of a node once it has taken so many CPUs more: of what load1 and its processes say, the worse. */
export function loadWith(forecast: Forecast, cpu: number): number {
  return Math.max(forecast.load, forecast.busy) + cpu
}

/** Whether a node with this load is not PLUS. */
export function holds(load: number, cpus: number): boolean {
  return tritOf(Math.max(0, load), cpus) !== 1
}

/** Whether load may be added here now: it has room, nobody else is about to fill it, nothing has come lately. */
export function takesLoad({ node, trit, used }: Forecast, { owner }: PlanOptions): boolean {
  const ageMs = node.measurement?.ageMs ?? 0
  const { reservation } = node
  const reserved = reservation && reservation.leftMs > ageMs && reservation.owner !== owner
  const recent = node.arrivals.some((arrival) => arrival.ageMs + ageMs < ARRIVAL_GAP_MS)
  return trit === -1 && !used && !reserved && !recent
}

/** Adds to the load of a node, or takes away from it. */
export function change(forecast: Forecast, cpu: number): void {
  forecast.load = Math.max(0, forecast.load + cpu)
  forecast.busy = Math.max(0, forecast.busy + cpu)
}

/** Σ of the trits that the nodes are on their way to. */
export function predictedSum(all: readonly Forecast[]): number {
  return all.reduce((sum, each) => sum + predictedTrit(each), 0)
}

export function predictedTrit({ load, cpus }: Forecast): Trit {
  return tritOf(load, cpus)
}

export function ratioText(load: number, cpus: number): string {
  return (load / cpus).toFixed(2)
}
