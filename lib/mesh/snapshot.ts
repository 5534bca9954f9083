import { balanceOf, emptiestFirst, type Balance } from '../balance.ts'
import type { Pressure } from '../node/measurement.ts'
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

function stateOf(report: Report): NodeState {
  const { name, address, os, self, connection } = report.node
  const identity: Identity = { name, address, os, self, ...(connection ? { connection } : {}) }
  if (report.outcome !== 'ok') return { ...identity, outcome: report.outcome, reason: report.reason }
  const { load1, load5, load15, cpus, uptimeSeconds, pressure } = report.measurement
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
  }
}
