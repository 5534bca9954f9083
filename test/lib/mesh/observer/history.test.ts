import fc from 'fast-check'
import { expect, test } from 'vitest'
import { History, KEPT_MS } from '../../../../lib/mesh/observer/history.ts'

test('it keeps what came within 30 minutes, the oldest first, whatever came when', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 200_000 }), fc.double({ min: 0, max: 9, noNaN: true })), {
        maxLength: 300,
        size: 'max',
      }),
      (steps) => {
        const history = new History(10_000)
        const all: { atMs: number; ratio: number }[] = []
        let atMs = 0
        for (const [stepMs, ratio] of steps) {
          atMs += stepMs
          history.add({ atMs, ratio })
          all.push({ atMs, ratio })
        }
        const kept = all.filter((point) => point.atMs >= atMs - KEPT_MS).slice(-KEPT_MS / 10_000)
        expect([...history.points()]).toEqual(kept)
      },
    ),
  )
})

test('rounds without end take no more than those of 30 minutes', () => {
  const history = new History(2000)
  for (let round = 0; round < 5000; round += 1) history.add({ atMs: round * 2000, ratio: 1 })
  expect(history.length).toBe(KEPT_MS / 2000)
})

test('a point has what was measured, and nothing of what was not', () => {
  const history = new History(2000)
  const whole = { atMs: 1, ratio: 0.5, pressure10: 3, availableBytes: 4 }
  history.add(whole)
  history.add({ atMs: 2, ratio: 0.25 })
  expect([...history.points()]).toEqual([whole, { atMs: 2, ratio: 0.25 }])
  expect([...history.points(2)]).toEqual([{ atMs: 2, ratio: 0.25 }])
})

test('parts of a span have their greatest ratio, and none where nothing was measured', () => {
  const history = new History(2000)
  for (const [atMs, ratio] of [
    [1000, 9],
    [10_500, 0.2],
    [10_900, 0.4],
    [12_100, 0.1],
  ] as const)
    history.add({ atMs, ratio })
  expect(history.ratios(12_500, 3000, 3)).toEqual([0.4, undefined, 0.1])
  // Within a part of time the drawing stays as it is.
  expect(history.ratios(12_999, 3000, 3)).toEqual([0.4, undefined, 0.1])
  expect(history.ratios(13_000, 3000, 3)).toEqual([undefined, 0.1, undefined])
})
