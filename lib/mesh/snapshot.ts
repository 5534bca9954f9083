import { balanceOf, emptiestFirst, fullestFirst, type Balance } from '../model/balance.ts'
import { byName } from '../model/name-order.ts'
import type { Measurement } from '../machine/measurement.ts'
import { tritOf, type Trit } from '../model/trit.ts'
import type { Connection, Fault, Report } from './node.ts'
import type { Mesh, MeshOrigin } from './nodes.ts'

/** A node as every script shows it, and as `--json` prints it. Numbers are as measured, not rounded. */
export type NodeState = Identity & (Measured | { outcome: Fault; reason: string })
type Identity = { name: string; address: string; os: string; self: boolean; connection?: Connection }
export type Measured = Omit<Measurement, 'os'> & {
  outcome: 'ok'
  /** load1 over CPUs. */
  ratio: number
  trit: Trit
}
export type MeasuredNode = Identity & Measured

/**
 * The mesh at one time. A node that is not `ok` has no trit and counts nowhere; where no node is `ok` there is no Σ, no
 * invariant and no rule.
 */
export type MeshSnapshot = {
  measuredAt: string
  from: MeshOrigin
  /** What may keep machines from being known or reached. */
  warning?: string
  nodes: NodeState[]
} & Pick<Balance, 'moves'> &
  Partial<Balance>

/** The fullest measured nodes first, then those without a measurement by name. */
export function nodeStates(reports: readonly Report[]): NodeState[] {
  const nodes = reports.map((report) => stateOf(report))
  const others = nodes.filter(({ outcome }) => outcome !== 'ok').toSorted((a, b) => byName(a.name, b.name))
  return [...fullestFirst(measured(nodes)), ...others]
}

/** The state of each node, Σ and what follows from it. */
export function snapshotOf(
  reports: readonly Report[],
  measuredAt: Date,
  { from, warning }: Pick<Mesh, 'from' | 'warning'>,
): MeshSnapshot {
  const nodes = nodeStates(reports)
  const ok = measured(nodes)
  return {
    measuredAt: measuredAt.toISOString(),
    from,
    ...(warning === undefined ? {} : { warning }),
    nodes,
    ...(ok.length === 0 ? { moves: [] } : balanceOf(ok)),
  }
}

export function measured(nodes: readonly NodeState[]): MeasuredNode[] {
  return nodes.filter((node): node is MeasuredNode => node.outcome === 'ok')
}

/** Nodes that were asked and gave no measurement; one that is offline or left out was not asked. */
export function unmeasured(nodes: readonly NodeState[]): NodeState[] {
  return nodes.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'offline' && outcome !== 'skipped')
}

/** Whether something that --strict wants is missing: a measurement of a machine, or the machines themselves. */
export function isIncomplete({ nodes, from, warning }: MeshSnapshot): boolean {
  return unmeasured(nodes).length > 0 || (from === 'alone' && warning !== undefined)
}

/** The measured nodes other than this machine, the one with the most room first. */
export function receivers(nodes: readonly NodeState[]): MeasuredNode[] {
  return emptiestFirst(measured(nodes).filter(({ self }) => !self))
}

/** The nodes that take work, this machine too: MINUS, and not closed by their owner. The one with most room first. */
export function openNodes(nodes: readonly NodeState[]): MeasuredNode[] {
  return emptiestFirst(measured(nodes)).filter(
    ({ trit, receiver }) => trit === -1 && receiver?.closed === undefined,
  )
}

/** Those among them that are other machines. */
export function openReceivers(nodes: readonly NodeState[]): MeasuredNode[] {
  return openNodes(nodes).filter(({ self }) => !self)
}

function stateOf(report: Report): NodeState {
  const { name, address, os, self, connection } = report.node
  const identity: Identity = { name, address, os, self, ...(connection ? { connection } : {}) }
  if (report.outcome !== 'ok') return { ...identity, outcome: report.outcome, reason: report.reason }
  const { load1, load5, load15, cpus, usableCpus, quotaCpus } = report.measurement
  const { uptimeSeconds, pressure, availableBytes, receiver } = report.measurement
  return {
    ...identity,
    outcome: 'ok',
    load1,
    load5,
    load15,
    cpus,
    ...(usableCpus === undefined ? {} : { usableCpus }),
    ...(quotaCpus === undefined ? {} : { quotaCpus }),
    ratio: load1 / cpus,
    trit: tritOf(load1, cpus),
    ...(uptimeSeconds === undefined ? {} : { uptimeSeconds }),
    ...(pressure ? { pressure } : {}),
    ...(availableBytes === undefined ? {} : { availableBytes }),
    ...(receiver ? { receiver } : {}),
  }
}
