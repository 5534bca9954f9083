import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseHostList } from '../../../lib/mesh/hosts.ts'
import { namedNodes, nodeNamed } from '../../../lib/mesh/nodes.ts'

const named = (text: string) => namedNodes(parseHostList(text, '--hosts'))

test.each([
  ['n2', ['n2']],
  ['n2,n3', ['n2', 'n3']],
  ['n2:2201', ['n2']],
  ['n2:2201,n2:2202', ['n2-2201', 'n2-2202']],
  ['n2:2201,n2-2201,n2:2202', ['n2-2201', 'n2-2201-2', 'n2-2202']],
  ['[fd7a::2]:2201,fd7a::3', ['fd7a--2', 'fd7a--3']],
  ['operator@n2,root@n2', ['operator@n2', 'root@n2']],
])('the hosts %s have the names %j', (text, names) => {
  expect(named(text).map(({ name }) => name)).toEqual(names)
})

test('a host is found by its name, and by what the person wrote where that is its name but for the colons', () => {
  const nodes = named('n2:2201,n2:2202,fd7a::3')
  for (const { name } of nodes) expect(nodeNamed(nodes, name)?.name).toBe(name)
  expect(nodeNamed(nodes, 'n2:2202')?.ssh?.port).toBe(2202)
  expect(nodeNamed(nodes, 'fd7a::3')?.address).toBe('fd7a::3')
  expect(nodeNamed(nodes, 'n2')).toBeUndefined()
})

test('whatever hosts there are, their names differ and hold no colon', () => {
  const host = fc.oneof(
    fc.tuple(fc.constantFrom('a', 'a-22', 'b', '[fd7a::1]'), fc.constantFrom('', ':22', ':23', ':222')),
    fc.tuple(fc.constantFrom('u@a', 'v@a', 'fd7a::1'), fc.constant('')),
  )
  fc.assert(
    fc.property(fc.array(host, { minLength: 1, maxLength: 6 }), (hosts) => {
      const names = named(hosts.map((parts) => parts.join('')).join(',')).map(({ name }) => name)
      expect(new Set(names).size).toBe(names.length)
      for (const name of names) expect(name).not.toContain(':')
    }),
  )
})
