import { expect, test } from 'vitest'
import { signed, tritOf } from '../../../lib/model/trit.ts'

test.each([
  [0, 1, -1],
  [0.29, 1, -1],
  [0.3, 1, 0],
  [0.8, 1, 0],
  [0.81, 1, 1],
  [4, 64, -1],
  [1, 1, 1],
  [2.4, 3, 0],
  [2.7, 9, 0],
  [19.2, 64, 0],
  [51.2, 64, 0],
] as const)('a load of %d on %d CPUs is trit %d', (load1, cpus, trit) => {
  expect(tritOf(load1, cpus)).toBe(trit)
})

test('both bounds are ERGODIC and a hundredth beyond is not, for any number of CPUs', () => {
  const hundredths = (value: number) => Number((value / 100).toFixed(2))
  for (let cpus = 1; cpus <= 4096; cpus++) {
    expect(tritOf(hundredths(cpus * 80), cpus), `0.8 of ${cpus}`).toBe(0)
    expect(tritOf(hundredths(cpus * 80 + 1), cpus), `above 0.8 of ${cpus}`).toBe(1)
    expect(tritOf(hundredths(cpus * 30), cpus), `0.3 of ${cpus}`).toBe(0)
    expect(tritOf(hundredths(cpus * 30 - 1), cpus), `below 0.3 of ${cpus}`).toBe(-1)
  }
})

test.each([
  [Number.NaN, 1],
  [-1, 1],
  [Number.POSITIVE_INFINITY, 1],
  [1, 0],
  [1, 1.5],
  [1, Number.NaN],
])('what is no measurement has no trit: %d on %d', (load1, cpus) => {
  expect(() => tritOf(load1, cpus)).toThrow(RangeError)
})

test('a trit is written with its sign', () => {
  expect([1, 0, -1].map((trit) => signed(trit))).toEqual(['+1', '0', '-1'])
})
