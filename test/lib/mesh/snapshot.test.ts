import { expect, test } from 'vitest'
import type { Fault, MeshNode, Report } from '../../../lib/mesh/node.ts'
import { isIncomplete, nodeStates, openReceivers, receivers, snapshotOf } from '../../../lib/mesh/snapshot.ts'

const AT = new Date('2025-01-01T00:00:00Z')
const node = (name: string, more: Partial<MeshNode> = {}): MeshNode => ({
  name,
  address: name,
  os: 'linux',
  self: false,
  ...more,
})
/** A machine of ten CPUs, on which the load is tenths of its ratio. */
function ok(name: string, load1: number, more: Partial<MeshNode> & { closed?: string } = {}): Report {
  const { closed, ...rest } = more
  const receiver = closed === undefined ? {} : { receiver: { closed, arrivals: [] } }
  const measurement = { os: 'linux', load1, load5: 0, load15: 0, cpus: 10, ...receiver }
  return { node: node(name, rest), outcome: 'ok', ageMs: 0, measurement }
}
const lost = (name: string, outcome: Fault): Report => ({ node: node(name), outcome, reason: 'why' })
const names = (all: readonly { name: string }[]) => all.map(({ name }) => name)

test('the fullest come first, whatever the order of the answers, and who gave none last, by name', () => {
  const reports = [lost('z', 'timeout'), ok('a', 1), ok('b', 9), lost('y', 'offline'), ok('c', 5)]
  expect(names(nodeStates(reports))).toEqual(['b', 'c', 'a', 'y', 'z'])
  expect(names(nodeStates(reports.toReversed()))).toEqual(['b', 'c', 'a', 'y', 'z'])
})

test('machines of one ratio, and those without, stand as people count: n9 before n10', () => {
  const reports = ['n10', 'n2', 'n9'].flatMap((name) => [ok(name, 1), lost(`${name}-lost`, 'timeout')])
  const counted = ['n2', 'n9', 'n10']
  expect(names(nodeStates(reports))).toEqual([...counted, ...counted.map((name) => `${name}-lost`)])
  expect(names(receivers(nodeStates(reports)))).toEqual(counted)
})

test('receivers are the others, the one with the most room first; open ones are MINUS, and not closed', () => {
  const states = nodeStates([
    ok('full', 9),
    ok('some', 5),
    ok('at the bound', 3),
    ok('room', 2),
    ok('most', 0.1),
    ok('closed', 0, { closed: 'backup' }),
    ok('this', 0, { self: true }),
    lost('lost', 'timeout'),
  ])
  expect(names(receivers(states))).toEqual(['closed', 'most', 'room', 'at the bound', 'some', 'full'])
  expect(names(openReceivers(states))).toEqual(['most', 'room'])
})

test('a machine without a measurement counts nowhere', () => {
  const { nodes, ...rest } = snapshotOf([ok('a', 9), lost('b', 'timeout')], AT, { from: 'tailnet' })
  expect(nodes).toHaveLength(2)
  expect(rest).toMatchObject({
    measuredAt: '2025-01-01T00:00:00.000Z',
    sum: 1,
    invariantHolds: false,
    rule: 1,
  })
})

test('where no machine is measured there is no sum, and no rule', () => {
  const snapshot = snapshotOf([lost('a', 'timeout')], AT, { from: 'tailnet' })
  expect(snapshot).not.toHaveProperty('sum')
  expect(snapshot.moves).toEqual([])
})

test.each<[string, Report[], Parameters<typeof snapshotOf>[2], boolean]>([
  ['all have answered', [ok('a', 1)], { from: 'tailnet' }, false],
  ['one has not', [ok('a', 1), lost('b', 'timeout')], { from: 'tailnet' }, true],
  ['one let nobody in', [ok('a', 1), lost('b', 'auth')], { from: 'tailnet' }, true],
  ['one is offline', [ok('a', 1), lost('b', 'offline')], { from: 'tailnet' }, false],
  ['one was left out', [ok('a', 1), lost('b', 'skipped')], { from: 'tailnet' }, false],
  ['there is no tailnet', [ok('a', 1)], { from: 'alone' }, false],
  ['there is one that could not be asked', [ok('a', 1)], { from: 'alone', warning: 'stopped' }, true],
  ['the tailnet warns and all have answered', [ok('a', 1)], { from: 'tailnet', warning: 'lost' }, false],
])('whether something is missing where %s', (_, reports, mesh, missing) => {
  expect(isIncomplete(snapshotOf(reports, AT, mesh))).toBe(missing)
})
