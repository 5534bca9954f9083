import { balanceOf, type Rule } from '../balance.ts'
import { forecasts, predictedSum } from './forecast.ts'
import { wakeIdle } from './idle.ts'
import { relief } from './relief.ts'
import type { PlanAction, PlanOptions, PlanSnapshot } from './snapshot.ts'
import { throttling } from './throttle.ts'

export type Plan = {
  /** Σ of the trits of the nodes that count. */
  sum: number
  /** Σ mod 3: 0, 1 or 2. */
  mod3: number
  invariantHolds: boolean
  rule: Rule
  /** In this order. They do not depend on each other, but that no two add load to one node. */
  actions: PlanAction[]
  /** Once everything is done and load1 has followed. */
  predicted: { sum: number; mod3: number; invariantHolds: boolean }
}

/**
 * What is to be done for the mesh to settle. The same snapshot, in any order, gives the same plan.
 *
 * `rule` is that of Σ. The decision matrix acts besides: whenever there is a PLUS and a MINUS node, work migrates
 * from the one to the other, whatever Σ is, because one overloaded node among many idle ones is below rule 1 and is
 * overloaded all the same. Throttling on ERGODIC nodes is left to rule 1, where the mesh has more load than room:
 * rule 3 says that nothing is to be done, and rule 2 would wake what was held back a moment before. Rule 2 also
 * releases held processes and starts queued jobs on MINUS nodes.
 *
 * What keeps several brokers with old measurements from driving work to and fro:
 * - A receiver is used once in a plan, and takes one arrival in `ARRIVAL_REST_SECONDS`.
 * - It is predicted not to become PLUS: load1, plus what came and load1 does not show yet (all of it at
 *   first, 37 % after a minute), or what its processes use if that is more, plus what is to come.
 * - A sender stops when it is not PLUS without what left and load1 still shows.
 * - Who was moved within `PROCESS_REST_SECONDS` stays, and so do guarded processes.
 * - A measurement that is older than `maxAgeMs` is none.
 *
 * `none` actions come last: PLUS nodes that need no more, or that nothing can be done for, and why.
 */
export function planFor({ nodes, jobs }: PlanSnapshot, options: PlanOptions): Plan {
  const known = forecasts(nodes, options)
  const { sum, invariantHolds, rule } = balanceOf(known)
  const { moves, rest } = relief(known, options)
  const throttled = rule === 1 ? throttling(known) : []
  const woken = rule === 2 ? wakeIdle(known, jobs, options) : []
  const after = predictedSum(known)
  return {
    sum,
    mod3: mod3(sum),
    invariantHolds,
    rule,
    actions: [...moves, ...throttled, ...woken, ...rest],
    predicted: { sum: after, mod3: mod3(after), invariantHolds: mod3(after) === 0 },
  }
}

function mod3(sum: number): number {
  return ((sum % 3) + 3) % 3
}
