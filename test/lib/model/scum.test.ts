import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judge } from '../../../lib/model/scum.ts'

test('the score is the sum of three terms', () => {
  const { terms, score } = judge({ cpuPercent: 150, memPercent: 10, runtimeHours: 12 }, 0)
  expect(terms.cpu).toBeCloseTo(0.9, 10)
  expect(terms.mem).toBeCloseTo(0.03, 10)
  expect(terms.runtime).toBeCloseTo(0.05, 10)
  expect(score).toBe(terms.cpu + terms.mem + terms.runtime)
})

test.each([
  [
    'spinning',
    { cpuPercent: 100, memPercent: 0, runtimeHours: 0 },
    1,
    true,
    ['migrate', 'throttle', 'allow'],
  ],
  ['half busy', { cpuPercent: 50, memPercent: 0, runtimeHours: 0 }, 0, true, ['none', 'none', 'none']],
  [
    'an old idle daemon',
    { cpuPercent: 0, memPercent: 1, runtimeHours: 96 },
    1,
    false,
    ['none', 'none', 'none'],
  ],
  [
    'an old large one',
    { cpuPercent: 0, memPercent: 6, runtimeHours: 96 },
    1,
    true,
    ['migrate', 'throttle', 'allow'],
  ],
  ['at 30 %', { cpuPercent: 30, memPercent: 5, runtimeHours: 480 }, 1, false, ['none', 'none', 'none']],
  ['idle', { cpuPercent: 1, memPercent: 1, runtimeHours: 1 }, -1, false, ['none', 'none', 'none']],
] as const)(
  '%s: what is done on a PLUS, an ERGODIC and a MINUS node',
  (_, usage, scumTrit, inScumClass, actions) => {
    expect(judge(usage, 1)).toMatchObject({ scumTrit, inScumClass })
    expect(([1, 0, -1] as const).map((trit) => judge(usage, trit).action)).toEqual(actions)
  },
)

test('the bounds of the process trit belong to the lower one', () => {
  const at = (runtimeHours: number) => judge({ cpuPercent: 0, memPercent: 0, runtimeHours }, 0)
  expect([at(36).scumTrit, at(36.1).scumTrit]).toEqual([-1, 0])
  expect([at(84).scumTrit, at(84.1).scumTrit]).toEqual([0, 1])
})

test('more of anything never lowers the score, and only a process of the class is acted on', () => {
  const amount = fc.double({ min: 0, max: 1000, noNaN: true })
  fc.assert(
    fc.property(amount, amount, amount, amount, (cpuPercent, memPercent, runtimeHours, more) => {
      const base = judge({ cpuPercent, memPercent, runtimeHours }, 1)
      expect(
        judge({ cpuPercent: cpuPercent + more, memPercent, runtimeHours }, 1).score,
      ).toBeGreaterThanOrEqual(base.score)
      if (base.action !== 'none') expect([base.inScumClass, base.scumTrit]).toEqual([true, 1])
    }),
  )
})
