/** load1 is an exponential average over this time, in milliseconds (kernel/sched/loadavg.c, EXP_1). */
const LOAD1_MS = 60_000

/** The share of a change of load that load1 does not show yet after some milliseconds: 37 % after a minute. */
export function unseen(ageMs: number): number {
  return Math.exp(-Math.max(0, ageMs) / LOAD1_MS)
}
