import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UsageError } from '../../../lib/base/errors.ts'
import { parseHost, parseHostList, parseHostsFile } from '../../../lib/mesh/hosts.ts'

test.each([
  ['n1', { host: 'n1' }],
  ['operator@n1', { host: 'n1', user: 'operator' }],
  ['n1.ts.test:2222', { host: 'n1.ts.test', port: 2222 }],
  ['operator@100.64.0.1:22', { host: '100.64.0.1', user: 'operator', port: 22 }],
  ['fd7a:115c:a1e0::1', { host: 'fd7a:115c:a1e0::1' }],
  ['[fd7a:115c:a1e0::1]:22', { host: 'fd7a:115c:a1e0::1', port: 22 }],
  ['a@b@n1', { host: 'n1', user: 'a@b' }],
  ['HOME\\operator@n1', { host: 'n1', user: 'HOME\\operator' }],
])('%s is a host', (text, expected) => {
  expect(parseHost(text, '--hosts')).toEqual({ text, ...expected })
})

test.each([
  '-oProxyCommand=touch owned',
  '-oX',
  'operator@-oX',
  '-l@n1',
  '@n1',
  'n1:',
  'n1:0',
  'n1:65536',
  'n1:2x',
  'n1:-1',
  '[n1]:22',
  '[::1',
  'a b',
  'n1;reboot',
  '$(reboot)',
  'n1\n-oX',
  '%h',
  '',
])('%j is refused, by its name', (text) => {
  expect(() => parseHost(text, '--hosts')).toThrow(UsageError)
  expect(() => parseHost(text, '--hosts')).toThrow(/^--hosts: "/)
})

test('a list is split at commas, and a host that is named twice is one', () => {
  expect(parseHostList('n1, n2,n1', '--hosts').map(({ host }) => host)).toEqual(['n1', 'n2'])
})

test.each(['', ' ', ',', ' , '])('the list %j names no host', (list) => {
  expect(() => parseHostList(list, 'RESOURCE_SHARING_HOSTS')).toThrow(/^RESOURCE_SHARING_HOSTS names no host/)
})

test('a file holds a host a line, with comments and blank lines between', () => {
  const file = '# servers\nn1\n\n  operator@n2:2222  # the big one\r\nn3\r\n'
  expect(parseHostsFile(file, 'hosts').map(({ host }) => host)).toEqual(['n1', 'n2', 'n3'])
})

test('a bad line of a file is named by its number', () => {
  expect(() => parseHostsFile('n1\n\n-oX\n', 'my hosts')).toThrow(/^"my hosts" line 3: "-oX" is not a host/)
  expect(() => parseHostsFile('# nothing\n', 'hosts')).toThrow(/"hosts" names no host/)
})

test('whatever is accepted holds nothing that ssh or a shell could take for something else', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab1.-_@:[]%$; \n'.split('')) }))
  fc.assert(
    fc.property(text, (input) => {
      try {
        const { host, user = 'u' } = parseHost(input, '--hosts')
        expect(host).toMatch(/^[A-Za-z0-9_:][A-Za-z0-9._:%-]*$/)
        expect(user).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.+@\\-]*$/)
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
      }
    }),
    { numRuns: 3000, examples: [['0\\@A']] },
  )
})
