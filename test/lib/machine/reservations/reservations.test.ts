import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectedCpu, hasJustArrived, parseMarks } from '../../../../lib/machine/reservations/reservations.ts'

test('a machine that keeps nothing has no marks', () => {
  expect(parseMarks(new Map([['os', 'Linux']]))).toBeUndefined()
})

test('what a machine keeps is read, and text of its owner is made plain', () => {
  const lines = new Map([
    ['closed', 'backup \u001B[31mtonight'],
    ['reserved', 'a-1 59 1.50'],
    ['arrivals', '0:1.00 90:0.25:4711'],
    ['departures', '300:2'],
  ])
  const marks = parseMarks(lines)
  expect(marks).toEqual({
    closed: 'backup tonight',
    reserved: { owner: 'a-1', secondsLeft: 59, cpu: 1.5 },
    arrivals: [
      { secondsAgo: 0, cpu: 1 },
      { secondsAgo: 90, cpu: 0.25, pid: 4711 },
    ],
    departures: [{ secondsAgo: 300, cpu: 2 }],
  })
})

test('of what has come counts what load1 does not show yet; what is reserved counts in full', () => {
  const arrivals = [0, 60, 300].map((secondsAgo) => ({ secondsAgo, cpu: 1 }))
  expect(expectedCpu({ arrivals })).toBeCloseTo(1 + 0.368 + 0.007, 3)
  expect(expectedCpu({ arrivals: [], reserved: { owner: 'a', secondsLeft: 1, cpu: 2 } })).toBe(2)
})

test.each([
  [90, true],
  [91, false],
])('what came %i s ago came just now: %s', (secondsAgo, just) => {
  expect(hasJustArrived({ arrivals: [{ secondsAgo, cpu: 1 }] })).toBe(just)
})

test.each([
  ['reserved', ''],
  ['reserved', 'A 5 1'],
  ['reserved', 'a -5 1'],
  ['reserved', 'a 5 1e9'],
  ['reserved', 'a 5 1 x'],
  ['arrivals', ''],
  ['arrivals', '5'],
  ['arrivals', '5:-1'],
  ['arrivals', '5000:1'],
  ['arrivals', '5:1:0'],
  ['departures', '5:1:x'],
  ['departures', ''],
  ['arrivals', Array.from({ length: 1001 }, () => '1:1').join(' ')],
])('%s %j is no mark', (key, text) => {
  expect(() => parseMarks(new Map([[key, text]]))).toThrow(RangeError)
})

test('whatever a machine says, there are marks with numbers in them or an error', () => {
  const word = fc.constantFrom('a', '1', '1.5', '0:1', ':', ' ', 'NaN', '-1', '9'.repeat(12))
  const text = fc.array(word).map((words) => words.join(''))
  fc.assert(
    fc.property(text, text, (reserved, arrivals) => {
      try {
        const marks = parseMarks(new Map(Object.entries({ reserved, arrivals })))
        expect(marks && Number.isFinite(expectedCpu(marks))).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }),
  )
})
