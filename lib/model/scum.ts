import {
  ACTED_ON_ABOVE_SCORE,
  IDLE_UP_TO_SCORE,
  SCORE_WEIGHTS,
  SCUM_CPU_PERCENT,
  SCUM_MEM_PERCENT,
} from './policy.ts'
import type { Trit } from './trit.ts'

/** What a process uses. CPU is in percent of one CPU and may exceed 100; memory in percent of the machine's. */
export type Usage = { cpuPercent: number; memPercent: number; runtimeHours: number }

/** The three parts of a score, apart: the last grows without bound, and a person has to see that. */
export type Terms = { cpu: number; mem: number; runtime: number }

/** What the decision matrix says of a process on a node. */
export type Action = 'migrate' | 'throttle' | 'allow' | 'none'

export type Judgement = {
  terms: Terms
  /** The sum of the terms. */
  score: number
  /** +1 kill candidate, 0 to be watched, -1 idle. */
  scumTrit: Trit
  inScumClass: boolean
  action: Action
}

/** `SCUM(p) = 0.6·cpu%/100 + 0.3·mem%/100 + 0.1·runtime_hours/24`, and what follows from it on a node. */
export function judge(usage: Usage, nodeTrit: Trit): Judgement {
  const terms = {
    cpu: (SCORE_WEIGHTS.cpu * usage.cpuPercent) / 100,
    mem: (SCORE_WEIGHTS.memory * usage.memPercent) / 100,
    runtime: (SCORE_WEIGHTS.runtimeDay * usage.runtimeHours) / 24,
  }
  const score = terms.cpu + terms.mem + terms.runtime
  const scumTrit = isAbove(score, ACTED_ON_ABOVE_SCORE) ? 1 : isAbove(score, IDLE_UP_TO_SCORE) ? 0 : -1
  const inScumClass = usage.cpuPercent > SCUM_CPU_PERCENT || usage.memPercent > SCUM_MEM_PERCENT
  return { terms, score, scumTrit, inScumClass, action: actionFor(score, inScumClass, nodeTrit) }
}

/** Outside the class nothing is done, whatever the score: an idle daemon of four days scores 0.4. */
function actionFor(score: number, inScumClass: boolean, nodeTrit: Trit): Action {
  if (!inScumClass || !isAbove(score, ACTED_ON_ABOVE_SCORE)) return 'none'
  if (nodeTrit === 1) return 'migrate'
  return nodeTrit === 0 ? 'throttle' : 'allow'
}

/** Sums of binary fractions are off in their last digit: 0.1 · 84 / 24 is 0.35000000000000003. */
function isAbove(score: number, bound: number): boolean {
  return score - bound > 1e-12
}
