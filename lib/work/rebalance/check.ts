import pMap from 'p-map'
import { planFor, type Plan } from '../../model/plan/plan.ts'
import type { PlanAction, PlanNode, PlanOptions, PlanSnapshot } from '../../model/plan/snapshot.ts'

export type Move = Extract<PlanAction, { kind: 'migrate' }>

/** Whether a process can move as planned, and what that takes; or what stands in the way. */
export type Verdict<Way> = { movable: true; way: Way } | Hindrance
export type Hindrance = {
  movable: false
  /**
   * `process`: this one moves nowhere; `source`: none of that node does; `target`: none moves to that node; `pair`: this
   * one does not move to that node.
   */
  because: 'process' | 'source' | 'target' | 'pair'
  reason: string
}

export type Checked<Way> = {
  plan: Plan
  /** How each move of the plan is made. */
  ways: ReadonlyMap<Move, Way>
  /** What would have been planned, and why it is not. */
  passed: { node: string; pid: number; to: string; reason: string }[]
}

const AT_ONCE = 8
/** After so many rounds of planning and looking, a process that has not been looked at yet stays where it is. */
const MOST_ROUNDS = 20

/**
 * The plan of which every move has been looked at: what can't be moved, or not to where it was planned, is taken out,
 * and planned is again.
 *
 * @param look at a move; changes nothing
 */
export async function checkedPlan<Way>(
  snapshot: PlanSnapshot,
  options: PlanOptions,
  look: (move: Move) => Promise<Verdict<Way>>,
): Promise<Checked<Way>> {
  const ways = new Map<string, Way>()
  const passed: Checked<Way>['passed'] = []
  const found = new Hindrances()
  for (let round = 0; ; round += 1) {
    const plan = planFor({ ...snapshot, nodes: found.applied(snapshot.nodes) }, options)
    const moves = plan.actions.filter((action) => action.kind === 'migrate')
    const open = moves.filter((move) => !ways.has(keyOf(move)))
    if (open.length === 0 && !found.settle(moves))
      return { plan, ways: new Map(moves.flatMap((move) => entry(move, ways.get(keyOf(move))))), passed }
    const looked = async (move: Move) => ({
      move,
      verdict: round < MOST_ROUNDS ? await look(move) : NOT_LOOKED_AT,
    })
    for (const { move, verdict } of await pMap(open, looked, { concurrency: AT_ONCE })) {
      if (verdict.movable) ways.set(keyOf(move), verdict.way)
      else {
        const { node, pid, to } = move
        passed.push({ node, pid, to, reason: verdict.reason })
        found.add(move, verdict)
      }
    }
  }
}

const NOT_LOOKED_AT: Hindrance = {
  movable: false,
  because: 'process',
  reason: 'whether it can move was not looked at: others went first',
}

function entry<Way>(move: Move, way: Way | undefined): [Move, Way][] {
  return way === undefined ? [] : [[move, way]]
}

/** What was found in the way of moves, as a snapshot without it. */
class Hindrances {
  readonly #processes = new Map<string, string>()
  readonly #sources = new Map<string, string>()
  readonly #targets = new Map<string, string>()
  /** Of a process, the nodes that can't have it. While it looks for another one, no other process gets those. */
  readonly #pairs = new Map<string, Map<string, string>>()

  add(move: Move, { because, reason }: Hindrance): void {
    const process = `${move.pid} ${move.node}`
    if (because === 'process') this.#processes.set(process, reason)
    else if (because === 'source') this.#sources.set(move.node, reason)
    else if (because === 'target') this.#targets.set(move.to, reason)
    else {
      const tried = this.#pairs.get(process) ?? new Map<string, string>()
      this.#pairs.set(process, tried.set(move.to, reason))
    }
  }

  /** Gives up those that have found no node; whether there are any. The nodes that can't have them are free again. */
  settle(moves: readonly Move[]): boolean {
    const found = new Set(moves.map(({ pid, node }) => `${pid} ${node}`))
    const vain = [...this.#pairs].filter(([process]) => !found.has(process))
    for (const [process, tried] of vain) {
      this.#processes.set(process, [...tried.values()].at(-1) ?? '')
      this.#pairs.delete(process)
    }
    return vain.length > 0
  }

  applied(nodes: readonly PlanNode[]): PlanNode[] {
    const taken = new Map([...this.#pairs.values()].flatMap((tried) => [...tried]))
    return nodes.map((node) => {
      const noMoves = this.#targets.get(node.name) ?? taken.get(node.name)
      const all = this.#sources.get(node.name)
      const processes = node.processes.map((process) => {
        const immovable = process.immovable ?? all ?? this.#processes.get(`${process.pid} ${node.name}`)
        return immovable === undefined ? process : { ...process, immovable }
      })
      return noMoves === undefined ? { ...node, processes } : { ...node, processes, noMoves }
    })
  }
}

function keyOf({ node, pid, to }: Move): string {
  return `${pid} ${node} ${to}`
}
