import { planFor } from '../../lib/model/plan/plan.ts'
import type { PlanNode, PlanOptions } from '../../lib/model/plan/snapshot.ts'
import { judge } from '../../lib/model/scum.ts'
import { tritOf } from '../../lib/model/trit.ts'
import type { Random } from './random.ts'

export type Move = { pid: number; from: string; to: string; cpu: number }
export type Decision = { moves: Move[]; throttle: OnNode[]; wake: (OnNode & { cpu: number })[] }
type OnNode = { node: string; pid: number }

export const POLICIES = ['planner', 'never', 'naive', 'random', 'two-choices'] as const
export type Policy = (typeof POLICIES)[number]

/** In words, what each does. */
export const POLICY_TEXTS: Record<Policy, string> = {
  planner: 'lib/model/plan',
  never: 'nothing moves',
  naive: 'the seed: to the lowest load',
  random: 'to any machine',
  'two-choices': 'to the better of two',
}

/** What a broker decides from what it sees. The other policies move the highest score of every PLUS node. */
export function decide(
  policy: Policy,
  nodes: readonly PlanNode[],
  options: PlanOptions,
  random: Random,
): Decision {
  if (policy === 'planner') return planned(nodes, options)
  const measured = nodes.flatMap((node) => (node.measurement ? [{ node, ...node.measurement }] : []))
  if (policy === 'never' || measured.length < 2) return { moves: [], throttle: [], wake: [] }
  const lowest = measured.toSorted((a, b) => a.load1 - b.load1)
  const target = (from: string): Measured | undefined => {
    if (policy === 'naive') return lowest.find(({ node }) => node.name !== from)
    const drawn = Array.from({ length: policy === 'random' ? 1 : 2 }, () => other(measured, from, random))
    return drawn.toSorted((a, b) => a.load1 / a.cpus - b.load1 / b.cpus)[0]
  }
  const moves = measured.flatMap(({ node, load1, cpus }): Move[] => {
    const process = tritOf(load1, cpus) === 1 ? worst(node) : undefined
    const to = process && target(node.name)
    return process && to
      ? [{ pid: process.pid, from: node.name, to: to.node.name, cpu: process.cpuPercent / 100 }]
      : []
  })
  return { moves, throttle: [], wake: [] }
}

type Measured = { node: PlanNode; load1: number; cpus: number }

function planned(nodes: readonly PlanNode[], options: PlanOptions): Decision {
  const { actions } = planFor({ nodes, jobs: [] }, options)
  return {
    moves: actions.flatMap((action) =>
      action.kind === 'migrate'
        ? [{ pid: action.pid, from: action.node, to: action.to, cpu: action.cpu }]
        : [],
    ),
    throttle: actions.flatMap((action) => (action.kind === 'throttle' ? [action] : [])),
    wake: actions.flatMap((action) => (action.kind === 'wake' ? [action] : [])),
  }
}

function worst(node: PlanNode) {
  return node.processes
    .map((process) => ({ ...process, ...judge(process, 1) }))
    .filter(({ action }) => action === 'migrate')
    .toSorted((a, b) => b.score - a.score || a.pid - b.pid)[0]
}

function other(measured: readonly Measured[], from: string, random: Random): Measured {
  for (;;) {
    const drawn = measured[Math.floor(random.next() * measured.length)]
    if (drawn && drawn.node.name !== from) return drawn
  }
}
