import { balanceOf, emptiestFirst, type Balance } from '../balance.ts'
import type { Pressure } from '../node/measurement.ts'
import type { Marks } from '../receiver/marks.ts'
import { tritOf, type Trit } from '../trit.ts'
import type { Connection, Fault, Report } from './node.ts'

/** A node as every script shows it, and as `--json` prints it. Numbers are as measured, not rounded. */
export type NodeState = Identity & (Measured | { outcome: Fault; reason: string })
type Identity = { name: string; address: string; os: string; self: boolean; connection?: Connection }
export type Measured = {
  outcome: 'ok'
  load1: number
  load5: number
  load15: number
  cpus: number
  /** load1 over CPUs. */
  ratio: number
  trit: Trit
  uptimeSeconds?: number
  pressure?: Pressure
  /** Memory that new work can have without swapping. */
  availableBytes?: number
  /** Who has reserved it, what has just arrived, and whether its owner has closed it. */
  receiver?: Marks
}
export type MeasuredNode = Identity & Measured

/** The mesh at one time. A node that is not `ok` has no trit and counts nowhere. */
export type MeshSnapshot = { measuredAt: string; nodes: NodeState[] } & Balance

/** The fullest measured nodes first, then those without a measurement by name. */
export function snapshotOf(reports: readonly Report[], measuredAt: Date): MeshSnapshot {
  const nodes = reports.map((report) => stateOf(report))
  const ok = emptiestFirst(measured(nodes))
  const others = nodes
    .filter(({ outcome }) => outcome !== 'ok')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return { measuredAt: measuredAt.toISOString(), nodes: [...ok.toReversed(), ...others], ...balanceOf(ok) }
}

export function measured(nodes: readonly NodeState[]): MeasuredNode[] {
  return nodes.filter((node): node is MeasuredNode => node.outcome === 'ok')
}

/** Nodes that were asked and gave no measurement; one that is offline or left out was not asked. */
export function unmeasured(nodes: readonly NodeState[]): NodeState[] {
  return nodes.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'offline' && outcome !== 'skipped')
}

/** The measured nodes other than this machine, the one with the most room first. */
export function receivers({ nodes }: MeshSnapshot): MeasuredNode[] {
  return emptiestFirst(measured(nodes).filter(({ self }) => !self))
}

/** Those among them that take work: MINUS, and not closed by their owner. */
export function openReceivers(mesh: MeshSnapshot): MeasuredNode[] {
  return receivers(mesh).filter(({ trit, receiver }) => trit === -1 && receiver?.closed === undefined)
}

function stateOf(report: Report): NodeState {
  const { name, address, os, self, connection } = report.node
  const identity: Identity = { name, address, os, self, ...(connection ? { connection } : {}) }
  if (report.outcome !== 'ok') return { ...identity, outcome: report.outcome, reason: report.reason }
  const { load1, load5, load15, cpus, uptimeSeconds, pressure, availableBytes, receiver } = report.measurement
  return {
    ...identity,
    outcome: 'ok',
    load1,
    load5,
    load15,
    cpus,
    ratio: load1 / cpus,
    trit: tritOf(load1, cpus),
    ...(uptimeSeconds === undefined ? {} : { uptimeSeconds }),
    ...(pressure ? { pressure } : {}),
    ...(availableBytes === undefined ? {} : { availableBytes }),
    ...(receiver ? { receiver } : {}),
  }
}
