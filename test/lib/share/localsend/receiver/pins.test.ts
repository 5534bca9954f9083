import { expect, test } from 'vitest'
import { Pins } from '../../../../../lib/share/localsend/receiver/pins.ts'

const MOST = 3
const HERE = '192.168.1.7'
const guess = (pins: Pins, address: string, ...given: (string | null)[]) =>
  given.map((each) => pins.check(address, each))

test('where no PIN is set, everything is right', () => {
  expect(guess(new Pins(undefined, MOST), HERE, null, '', 'x', 'y', 'z', 'a')).toEqual(
    Array.from({ length: 6 }, () => 'right'),
  )
})

test('after so many wrong PINs an address is locked, for the right one too', () => {
  const pins = new Pins('4711', MOST)
  expect(guess(pins, HERE, '1', '2', '3', '4711')).toEqual(['wrong', 'wrong', 'wrong', 'locked'])
  expect(pins.check('192.168.1.8', '4711')).toBe('right')
})

test.each([null, ''])('to ask without a PIN, by %j, is not a guess', (none) => {
  const pins = new Pins('4711', MOST)
  expect(guess(pins, HERE, none, none, none, none)).toEqual(Array.from({ length: 4 }, () => 'wrong'))
  expect(pins.check(HERE, '4711')).toBe('right')
})

test('a right PIN does not take back what was guessed wrong before', () => {
  expect(guess(new Pins('4711', MOST), HERE, '1', '2', '4711', '3', '4711')).toEqual([
    'wrong',
    'wrong',
    'right',
    'wrong',
    'locked',
  ])
})

test('another address of the same foreign network of IPv6 is no new guesser', () => {
  const pins = new Pins('4711', MOST)
  expect(['::1', '::2', '::3', '::4'].map((end) => pins.check(`2001:db8:1:2${end}`, 'x'))).toEqual([
    'wrong',
    'wrong',
    'wrong',
    'locked',
  ])
  expect(pins.check('2001:db8:1:3::1', '4711')).toBe('right')
})

test('when more addresses have guessed than can be counted, who is new is locked out', () => {
  const pins = new Pins('4711', MOST)
  for (let each = 0; each < 10_000; each += 1) pins.check(`10.0.${each >> 8}.${each & 255}`, 'x')
  expect(pins.check('10.99.0.1', '4711')).toBe('locked')
  expect(pins.check('10.0.0.1', '4711')).toBe('right')
})
