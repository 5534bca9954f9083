import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isGreater, versionOf } from '../../tools/version.ts'

const version = (text: string) => versionOf(text) ?? expect.fail(`${text} is no version`)

// The order of https://semver.org/#spec-item-11, and numbers that a comparison of texts would put elsewhere.
const ORDER = [
  '0.9.0',
  '0.10.0',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.1',
  '1.0.10',
  '2.0.0',
]

test('of two versions the one that semver.org puts later is greater, and none is greater than itself', () => {
  for (const [index, text] of ORDER.entries())
    for (const [at, other] of ORDER.entries())
      expect([text, other, isGreater(version(text), version(other))]).toEqual([text, other, index > at])
})

test('what was built is no part of the order', () => {
  expect(isGreater(version('1.0.0+2'), version('1.0.0+1'))).toBe(false)
})

test.each([
  '1',
  '1.2',
  'v1.2.3',
  '01.2.3',
  '1.2.3.4',
  '1.2.3-',
  '1.2.3-01',
  '1.2.3-a..b',
  ' 1.2.3',
  '1.2.3\n',
  '',
  '-1.0.0',
])('%j is no version', (text) => {
  expect(versionOf(text)).toBeUndefined()
})

test('every three numbers are a version, and the next patch of it is greater', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(1_000_000), (major, minor, patch) => {
      const one = version(`${major}.${minor}.${patch}`)
      expect(isGreater(version(`${major}.${minor}.${patch + 1}`), one)).toBe(true)
      expect(isGreater(one, one)).toBe(false)
    }),
  )
})
