import { expect, test } from 'vitest'
import { UsageError } from '../../../../../lib/base/errors.ts'
import {
  Callers,
  countedAs,
  isOwn,
  normal,
  parseNetwork,
} from '../../../../../lib/share/localsend/receiver/addresses.ts'

test.each([
  ['127.0.0.1', 'own'],
  ['::1', 'own'],
  ['100.64.0.1', 'own'],
  ['100.127.255.254', 'own'],
  ['fd7a:115c:a1e0::1', 'own'],
  ['100.63.255.255', 'stranger'],
  ['100.128.0.1', 'stranger'],
  ['fd7a:115c:a1e1::1', 'stranger'],
  ['192.168.1.7', 'allowed'],
  ['192.168.2.7', 'stranger'],
  ['2001:db8::1', 'allowed'],
  ['', 'stranger'],
  ['nonsense', 'stranger'],
])('%j is %s to a receiver that allows 192.168.1.0/24 and 2001:db8::/32', (address, expected) => {
  const allowed = ['192.168.1.0/24', '2001:db8::/32'].map((text) => parseNetwork(text, '--allow'))
  expect(new Callers(allowed).classOf(address)).toBe(expected)
})

test.each(['', 'x', '1.2.3.4/33', '::1/129', '1.2.3/8', '1.2.3.4/', '1.2.3.4/-1', '0.0.0.0/0x'])(
  '%j is no network, and the message names the flag',
  (text) => {
    expect(() => parseNetwork(text, '--allow')).toThrow(UsageError)
    expect(() => parseNetwork(text, '--allow')).toThrow(/^--allow takes/)
  },
)

test.each([
  ['100.64.0.0/10', true],
  ['100.64.0.0/9', false],
  ['100.100.1.1', true],
  ['127.0.0.0/8', true],
  ['10.0.0.0/8', false],
  ['fd7a:115c:a1e0:ab12::/64', true],
  ['::/0', false],
])('%s is the own network: %s', (text, expected) => {
  expect(isOwn(parseNetwork(text, '--allow'))).toBe(expected)
})

test.each([
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['10.0.0.1', '10.0.0.1'],
])('%s is compared as %s', (address, expected) => {
  expect(normal(address)).toBe(expected)
})

test.each([
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['fd7a:115c:a1e0::7', 'fd7a:115c:a1e0::7'],
  ['10.1.2.3', '10.1.2.3'],
])('wrong PINs of %s are counted under %s', (address, expected) => {
  expect(countedAs(address)).toBe(expected)
})
