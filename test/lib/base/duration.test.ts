import { expect, test } from 'vitest'
import { duration } from '../../../lib/base/duration.ts'

test.each([
  [0, '0 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [3660, '1 h 1 min'],
  [7200, '2 h'],
  [90_061, '1 d 1 h'],
  [86_400 * 400, '400 d'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})
