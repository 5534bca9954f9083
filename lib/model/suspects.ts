import { judge, type Judgement } from './scum.ts'
import type { Process } from './process.ts'
import type { Trit } from './trit.ts'

/** A process with the score, and what the decision matrix says of it on its node. */
export type Suspect = Process & Judgement

/**
 * The processes that a person should look at first: those of the SCUM class by score, then the others by score.
 * By score alone, every daemon of some days would stand before the process that has just begun to spin.
 */
export function suspects(processes: readonly Process[], nodeTrit: Trit, most: number): Suspect[] {
  return processes
    .map((process) => ({ ...process, ...judge(process, nodeTrit) }))
    .toSorted((a, b) => Number(b.inScumClass) - Number(a.inScumClass) || b.score - a.score || a.pid - b.pid)
    .slice(0, most)
}
