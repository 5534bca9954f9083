import { expect, test } from 'vitest'
import { faultsOf, ticksOf } from './ticks.ts'

const log = (from: number, to: number, shift = 0) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ number: from + index, at: from + index + shift }))

test.each([
  ['it never moved', log(1, 9), [], []],
  ['it moved', log(1, 5), log(1, 9), []],
  ['it came back, and what went along stayed', log(1, 9), log(1, 5), []],
  ['both ran on', log(1, 9), [...log(1, 5), ...log(6, 8, 0.5)], ['both counted on after 5: 9 and 8']],
  ['a tick is lost', log(1, 5), [...log(1, 5), ...log(7, 8)], ['target: 7 is tick 6', 'target: 8 is tick 7']],
  ['a tick is there twice', [...log(1, 5), ...log(5, 5)], [], ['source: 5 is tick 6']],
])('%s', (_, source, target, faults) => {
  expect(faultsOf(source, target)).toEqual(faults)
})

test('a line that is being written is none yet, and a damaged one is no tick', () => {
  expect(ticksOf('1 0.5\n2 0.6\n3 0.')).toEqual([
    { number: 1, at: 0.5 },
    { number: 2, at: 0.6 },
  ])
  expect(() => ticksOf('1 0.5 DAMAGED\n')).toThrow('not a tick')
})
