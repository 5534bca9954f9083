import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TargetFacts } from '../../../../lib/work/migrate/facts/facts.ts'
import { losses } from '../../../../lib/work/migrate/preflight/losses.ts'
import { source, target, task } from './snapshots.ts'

const TOOLS = target().tools ?? []
const USUAL = { id: 500, name: 'io', value: 'none' }
const having = (name: string, value: string) => source({ attributes: [USUAL, { id: 500, name, value }] })
const without = (tool: string): Partial<TargetFacts> => ({ tools: TOOLS.filter((each) => each !== tool) })

test('a plain program loses nothing', () => {
  expect(losses(source({ attributes: [USUAL] }), target())).toEqual([])
  expect(losses(source({ attributes: [USUAL] }))).toEqual([])
})

test.each<[name: string, value: string, there: Partial<TargetFacts>, line: RegExp | undefined]>([
  ['affinity', '0-7 usual', without('taskset'), undefined],
  ['affinity', '1,3', {}, undefined],
  ['affinity', '1-4', {}, /its CPU affinity \(1-4\): server has the CPUs 0-3$/],
  ['affinity', '1', without('taskset'), /its CPU affinity \(1\): there is no taskset on server$/],
  ['io', 'best-effort 6', {}, undefined],
  ['io', 'idle', without('ionice'), /its I\/O priority \(idle\): there is no ionice on server$/],
  ['sched', '0 0 5', without('realtime'), undefined],
  ['sched', '2 3 0', {}, undefined],
  ['sched', '1 9 0', without('realtime'), /its real-time priority \(SCHED_FIFO 9\): server gives none$/],
  ['sched', '6 0 0', {}, /SCHED_DEADLINE/],
  ['personality', '00000000', {}, undefined],
  ['personality', '00040000', {}, undefined],
  [
    'personality',
    '00040000',
    without('setarch'),
    /its personality \(00040000\): there is no setarch on server$/,
  ],
  ['personality', '00020000', {}, /its personality \(00020000\)$/],
  ['memory_errors', 'own', {}, /PR_MCE_KILL/],
  ['coredump_filter', '0000007f', {}, undefined],
])('%s %s: what is lost is named, and nothing else', (name, value, there, line) => {
  const lines = losses(having(name, value), target(there))
  if (line === undefined) expect(lines).toEqual([])
  else expect(lines).toEqual([expect.stringMatching(line)])
  for (const each of lines) expect(each).toMatch(/^PID 500 \(python3\) loses /)
})

test('a personality that a part of the tree has is lost', () => {
  const attributes = [USUAL, { id: 500, name: 'personality', value: '00040000' }]
  const other = { id: 501, name: 'personality', value: '00000000' }
  const tree = [task(), task({ pid: 501, parent: 500, threads: [501] })] as const
  expect(losses(source({ tree: [...tree], attributes: [...attributes, other] }), target())).toHaveLength(1)
})

test('the limits of a control group of its own are lost, those of a login or of everybody are none', () => {
  const lines = (path: string) =>
    losses(source({ tree: [task({ cgroups: [path] })], attributes: [USUAL] }), target())
  expect(lines('/jobs/heavy')).toEqual([expect.stringMatching(/its control group \(\/jobs\/heavy\)$/)])
  expect(lines('/user.slice/user-1000.slice/session-3.scope')).toEqual([])
  expect(lines('/')).toEqual([])
})

test('where the source has no ionice nobody can tell, and that is said', () => {
  const attributes = [{ id: 500, name: 'affinity', value: '0-7 usual' }]
  expect(losses(source({ attributes }), target())).toEqual([
    expect.stringMatching(/if it has one: there is no ionice on laptop$/),
  ])
})

test('whatever a machine says, lines are whole and safe to show', () => {
  const name = fc.constantFrom('affinity', 'io', 'sched', 'personality', 'memory_errors', 'groups')
  const attribute = fc.record({
    id: fc.constantFrom(500, 7),
    name,
    value: fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('1\u001B[31m', '9\n9', '0-99999')),
  })
  fc.assert(
    fc.property(fc.array(attribute), (attributes) => {
      const lines = losses(source({ attributes }), target(without('ionice')))
      expect(lines.filter((line) => !/^\P{Cc}+$/u.test(line))).toEqual([])
    }),
    { numRuns: 50 },
  )
})
