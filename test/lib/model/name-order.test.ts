import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byName } from '../../../lib/model/name-order.ts'

test.each([
  [
    ['n10', 'n9', 'n1'],
    ['n1', 'n9', 'n10'],
  ],
  [
    ['web-10.example', 'web-2.example', 'db'],
    ['db', 'web-2.example', 'web-10.example'],
  ],
  [
    ['n1', 'n01', 'N1', 'n001'],
    ['n001', 'n01', 'n1', 'N1'],
  ],
])('%j stand as %j', (names, ordered) => {
  expect(names.toSorted(byName)).toEqual(ordered)
})

test('any names have one order, whichever of them comes first', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 8 })), (names) => {
      expect(names.toReversed().toSorted(byName)).toEqual(names.toSorted(byName))
    }),
  )
})
