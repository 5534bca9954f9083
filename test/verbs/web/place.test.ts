import { expect, test } from 'vitest'
import { authority, isPrivate, parsePlace } from '../../../verbs/web/place.ts'

test.each([
  [undefined, { port: 8642 }],
  ['9000', { port: 9000 }],
  [':9000', { port: 9000 }],
  ['0', { port: 0 }],
  ['localhost', { address: '127.0.0.1', port: 8642 }],
  ['localhost:9000', { address: '127.0.0.1', port: 9000 }],
  ['100.64.0.1', { address: '100.64.0.1', port: 8642 }],
  ['0.0.0.0:9000', { address: '0.0.0.0', port: 9000 }],
  ['::1', { address: '::1', port: 8642 }],
  ['[::1]', { address: '::1', port: 8642 }],
  ['[fd7a:115c:a1e0::1]:80', { address: 'fd7a:115c:a1e0::1', port: 80 }],
] as const)('%j is a place', (text, place) => {
  expect(parsePlace(text)).toEqual(place)
})

test.each([
  ['', 'takes an address'],
  ['n1', 'takes an address of this machine, a port, or both, as 127.0.0.1:8080 or [::1]:8080, not "n1"'],
  ['n1:9000', 'takes an address'],
  ['[n1]:9000', 'takes an address'],
  ['127.0.0.1:x', 'takes a port from 0 to 65535, not "127.0.0.1:x"'],
  ['127.0.0.1:', 'takes a port'],
  ['70000', 'takes a port'],
  [':-1', 'takes a port'],
  ['1.2.3.4:5:6', 'takes an address'],
  ['http://127.0.0.1', 'takes an address'],
  ['127.0.0.1\u001B[31m', 'takes an address'],
])('%j is none, and it is said why', (text, says) => {
  expect(() => parsePlace(text)).toThrow(says)
})

test('private are the addresses of this machine alone and of the tailnet', () => {
  const addresses = ['127.0.0.1', '127.9.9.9', '::1', '100.64.0.1', '100.127.255.255', 'fd7a:115c:a1e0::9']
  expect(addresses.filter((address) => !isPrivate(address))).toEqual([])
  const others = ['0.0.0.0', '::', '192.168.1.2', '100.128.0.1', 'fd00::1', '::ffff:0.0.0.0']
  expect(others.filter((address) => isPrivate(address))).toEqual([])
})

test('an IPv6 address has brackets before its port', () => {
  expect(authority('::1', 80)).toBe('[::1]:80')
  expect(authority('127.0.0.1', 80)).toBe('127.0.0.1:80')
})
