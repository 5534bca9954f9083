import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  ARRIVAL_REST_SECONDS,
  CHANGES_KEPT_SECONDS,
  MINUS_BELOW_RATIO,
  PLUS_ABOVE_RATIO,
  PROCESS_REST_SECONDS,
  RENEW_RESERVATION_MS,
  RESERVATION_SECONDS,
} from '../../../lib/model/policy.ts'

/** The numbers that a pattern finds in a script of lib/machine/reservations. */
function numbersIn(file: string, pattern: RegExp): number[] {
  const path = join(import.meta.dirname, '../../../lib/machine/reservations', file)
  return [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, number]) => Number(number))
}

test('the scripts rest for as long after an arrival, and remember for as long, as the planner thinks', () => {
  expect(numbersIn('reservation.sh', /\[ "\$1" -le (\d+) \] \|\| return 0/g)).toEqual([ARRIVAL_REST_SECONDS])
  expect(numbersIn('show.sh', /\[ \$\(\(rs_now - rs_when\)\) -gt (\d+) \]/g)).toEqual([CHANGES_KEPT_SECONDS])
})

test.each(['reservation.sh', 'show.sh'])('what the comments of %s say of that is so', (file) => {
  const said = numbersIn(file, /# .*?\b(\d+) s\b/g)
  expect(said.length).toBeGreaterThan(0)
  expect([ARRIVAL_REST_SECONDS, CHANGES_KEPT_SECONDS]).toEqual(expect.arrayContaining(said))
})

test('a machine remembers long enough to know who rests there', () => {
  expect(CHANGES_KEPT_SECONDS).toBeGreaterThanOrEqual(Math.max(ARRIVAL_REST_SECONDS, PROCESS_REST_SECONDS))
})

test('the bounds of the trit are whole tenths, by which they are compared, and leave room between them', () => {
  for (const bound of [PLUS_ABOVE_RATIO, MINUS_BELOW_RATIO]) expect(bound).toBe(Math.round(bound * 10) / 10)
  expect(MINUS_BELOW_RATIO).toBeLessThan(PLUS_ABOVE_RATIO)
})

test('a renewal of a reservation may fail twice before it expires', () => {
  expect(2 * RENEW_RESERVATION_MS).toBeLessThan(RESERVATION_SECONDS * 1000)
})
