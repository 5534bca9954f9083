import fc from 'fast-check'
import { expect, test } from 'vitest'
import { balanceOf, emptiestFirst, fullestFirst, type Loaded } from '../../../lib/model/balance.ts'
import { tritOf } from '../../../lib/model/trit.ts'

const node = (name: string, ratio: number): Loaded => ({ name, ratio, trit: tritOf(ratio, 1) })

test.each([
  { ratios: [], sum: 0, invariantHolds: true, rule: 3 },
  { ratios: [2, 2, 2], sum: 3, invariantHolds: true, rule: 1 },
  { ratios: [2, 2, 0.1], sum: 1, invariantHolds: false, rule: 1 },
  { ratios: [2, 0.5, 0.1], sum: 0, invariantHolds: true, rule: 3 },
  { ratios: [0.1, 0.2], sum: -2, invariantHolds: false, rule: 2 },
  { ratios: [0.1, 0.2, 0], sum: -3, invariantHolds: true, rule: 2 },
])('ratios $ratios give Σ $sum and rule $rule', ({ ratios, ...expected }) => {
  expect(balanceOf(ratios.map((ratio, index) => node(`n${index}`, ratio)))).toMatchObject(expected)
})

test('the fullest PLUS node sends to the emptiest MINUS node', () => {
  const mesh = [node('a', 1), node('b', 3), node('c', 0.2), node('d', 2), node('e', 5), node('f', 0.1)]
  expect(balanceOf(mesh).moves).toEqual([
    { from: 'e', to: 'f' },
    { from: 'b', to: 'c' },
  ])
})

test('nothing moves unless Σ > 0', () => {
  expect(balanceOf([node('a', 2), node('b', 0.1)]).moves).toEqual([])
  expect(balanceOf([node('a', 2), node('b', 0.1), node('c', 0)]).moves).toEqual([])
})

const meshes = fc
  .uniqueArray(fc.tuple(fc.string(), fc.double({ min: 0, max: 5, noNaN: true })), {
    selector: ([name]) => name,
  })
  .map((pairs) => pairs.map(([name, ratio]) => node(name, ratio)))

test('moves go from PLUS to MINUS and use a node once, whatever the order of the nodes', () => {
  fc.assert(
    fc.property(meshes, (mesh) => {
      const { moves, sum, rule, invariantHolds } = balanceOf(mesh)
      const trit = new Map(mesh.map((each) => [each.name, each.trit]))
      for (const { from, to } of moves) expect([trit.get(from), trit.get(to)]).toEqual([1, -1])
      const used = moves.flatMap(({ from, to }) => [from, to])
      expect(new Set(used).size).toBe(used.length)
      expect(rule).toBe(sum > 0 ? 1 : sum < 0 ? 2 : 3)
      expect(invariantHolds).toBe(((sum % 3) + 3) % 3 === 0)
      expect(balanceOf(mesh.toReversed())).toEqual(balanceOf(mesh))
    }),
  )
})

test('the ratio ranks, not the load, and then the name', () => {
  const nodes = [
    { name: 'b', load1: 1, ratio: 1 },
    { name: 'a', load1: 1, ratio: 1 },
    { name: 'big', load1: 4, ratio: 4 / 64 },
  ]
  expect(emptiestFirst(nodes).map(({ name }) => name)).toEqual(['big', 'a', 'b'])
  expect(fullestFirst(nodes).map(({ name }) => name)).toEqual(['a', 'b', 'big'])
})
