import { MINUS_BELOW_RATIO, PLUS_ABOVE_RATIO } from './policy.ts'

/**
 * The balanced ternary digit of a node, from its load.
 *
 * `+1` PLUS: overloaded, sheds work. `0` ERGODIC: balanced, a broker. `-1` MINUS: has room, accepts work.
 */
export type Trit = -1 | 0 | 1

const PLUS_ABOVE_TENTHS = Math.round(PLUS_ABOVE_RATIO * 10)
const MINUS_BELOW_TENTHS = Math.round(MINUS_BELOW_RATIO * 10)

/** What a person reads for each trit. */
export const TRIT_NAMES = { '-1': 'MINUS', '0': 'ERGODIC', '1': 'PLUS' } as const

/**
 * The trit of a node.
 *
 * `load1 / cpus` above 0.8 is PLUS, below 0.3 is MINUS; at either bound, ERGODIC. Ten times the load is compared
 * with a whole number, because the quotient is off in its last digit: 2.4 / 3 is 0.7999999999999999.
 *
 * @param load1 1-minute load average, ≥ 0
 * @param cpus CPUs that the machine may use, a whole number ≥ 1
 * @throws RangeError when either is not such a number: without a measurement there is no trit
 */
export function tritOf(load1: number, cpus: number): Trit {
  if (!Number.isFinite(load1) || load1 < 0) throw new RangeError(`load1 must be a number ≥ 0, not ${load1}`)
  if (!Number.isSafeInteger(cpus) || cpus < 1)
    throw new RangeError(`cpus must be a whole number ≥ 1, not ${cpus}`)
  if (load1 * 10 > cpus * PLUS_ABOVE_TENTHS) return 1
  if (load1 * 10 < cpus * MINUS_BELOW_TENTHS) return -1
  return 0
}

/** A trit as people write it: `+1`, `0`, `-1`. */
export function signed(trit: number): string {
  return trit > 0 ? `+${trit}` : String(trit)
}
