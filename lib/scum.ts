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

const ACTED_ON_ABOVE = 0.35
const IDLE_UP_TO = 0.15
/** A process above this share of one CPU, in percent, is in the SCUM class, and counts for the monitor. */
export const SCUM_CPU_PERCENT = 30
/** A process above this share of memory, in percent, is in the SCUM class. */
export const SCUM_MEM_PERCENT = 5

/** `SCUM(p) = 0.6·cpu%/100 + 0.3·mem%/100 + 0.1·runtime_hours/24`, and what follows from it on a node. */
export function judge(usage: Usage, nodeTrit: Trit): Judgement {
  const terms = {
    cpu: (0.6 * usage.cpuPercent) / 100,
    mem: (0.3 * usage.memPercent) / 100,
    runtime: (0.1 * usage.runtimeHours) / 24,
  }
  const score = terms.cpu + terms.mem + terms.runtime
  const scumTrit = isAbove(score, ACTED_ON_ABOVE) ? 1 : isAbove(score, IDLE_UP_TO) ? 0 : -1
  const inScumClass = usage.cpuPercent > SCUM_CPU_PERCENT || usage.memPercent > SCUM_MEM_PERCENT
  return { terms, score, scumTrit, inScumClass, action: actionFor(score, inScumClass, nodeTrit) }
}

/** Outside the class nothing is done, whatever the score: an idle daemon of four days scores 0.4. */
function actionFor(score: number, inScumClass: boolean, nodeTrit: Trit): Action {
  if (!inScumClass || !isAbove(score, ACTED_ON_ABOVE)) return 'none'
  if (nodeTrit === 1) return 'migrate'
  return nodeTrit === 0 ? 'throttle' : 'allow'
}

/** Sums of binary fractions are off in their last digit: 0.1 · 84 / 24 is 0.35000000000000003. */
function isAbove(score: number, bound: number): boolean {
  return score - bound > 1e-12
}
