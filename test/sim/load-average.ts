/** Bits behind the point of the kernel's load averages, and 1 in that form. */
const FIXED_1 = 2048
/** e^(-5 s / 60 s) in that form. */
const EXP_1 = 1884
/** Time between samples, in milliseconds; the kernel's LOAD_FREQ is one tick more. */
export const SAMPLE_MS = 5000

/**
 * The 1-minute load average after one more sample, as Linux computes it (calc_load() of include/linux/sched/loadavg.h,
 * called by kernel/sched/loadavg.c).
 *
 * @param average in units of 1/2048
 * @param active tasks that run, wait for a CPU or sleep uninterruptibly at this instant
 */
export function nextAverage(average: number, active: number): number {
  const sample = active * FIXED_1
  const sum = average * EXP_1 + sample * (FIXED_1 - EXP_1)
  return Math.floor((sample >= average ? sum + FIXED_1 - 1 : sum) / FIXED_1)
}

/** An average as /proc/loadavg shows it: two digits, after adding half of the last one. */
export function shown(average: number): number {
  return Math.floor(((average + Math.floor(FIXED_1 / 200)) * 100) / FIXED_1) / 100
}

export function averageOf(load: number): number {
  return Math.round(load * FIXED_1)
}
