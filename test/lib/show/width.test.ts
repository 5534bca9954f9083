import cliTruncate from 'cli-truncate'
import fc from 'fast-check'
import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import { NARROW, ONE_COLUMN_EACH } from '../../../lib/show/width.ts'

test('what is taken for characters of one column each is that, alone and together, and is cut as others are', () => {
  const characters = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code)).filter((each) =>
    ONE_COLUMN_EACH.test(each),
  )
  expect(characters.length).toBeGreaterThan(500)
  expect(characters.filter((each) => stringWidth(each) !== 1)).toEqual([])
  const text = fc.array(fc.constantFrom(...characters), { maxLength: 40 }).map((each) => each.join(''))
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 40 }), (whole, space) => {
      expect(NARROW.widthOf(whole)).toBe(stringWidth(whole))
      if (whole.length > space) expect(NARROW.shortened(whole, space)).toBe(cliTruncate(whole, space))
    }),
  )
})
