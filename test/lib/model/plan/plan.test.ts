import { expect, test } from 'vitest'
import { planFor } from '../../../../lib/model/plan/plan.ts'
import type { PlanNode, PlanSnapshot, QueuedJob } from '../../../../lib/model/plan/snapshot.ts'
import { GIB, node, OPTIONS, spinning } from './mesh.ts'

const plan = (nodes: PlanNode[], jobs: QueuedJob[] = []) => planFor({ nodes, jobs }, OPTIONS)
/** Kinds, nodes and subjects, as in `migrate n1 1 n2`. */
const steps = (nodes: PlanNode[], jobs: QueuedJob[] = []) =>
  plan(nodes, jobs).actions.map((action) => {
    const subject = 'pid' in action ? ` ${action.pid}` : 'job' in action ? ` ${action.job}` : ''
    return `${action.kind} ${action.node}${subject}${'to' in action ? ` ${action.to}` : ''}`
  })
const reasons = (nodes: PlanNode[]) => plan(nodes).actions.map(({ reason }) => reason)

/** A PLUS node with three spinning processes on two CPUs, of which each gets two thirds. */
const threeOnTwo = (more: Partial<PlanNode> = {}) =>
  node('n1', 3, 2, { processes: [1, 2, 3].map((pid) => spinning(pid, { cpuPercent: 66.7 })), ...more })

test('a PLUS node with three busy processes and two MINUS nodes are relieved, though Σ < 0', () => {
  const result = plan([threeOnTwo(), node('n2', 0, 2), node('n3', 0.1, 2)])
  expect(result).toMatchObject({ sum: -1, mod3: 2, rule: 2, predicted: { sum: 0, mod3: 0 } })
  expect(result.actions).toMatchObject([
    { kind: 'migrate', node: 'n1', to: 'n2', pid: 1 },
    { kind: 'migrate', node: 'n1', to: 'n3', pid: 2 },
  ])
  expect(result.actions[0]?.reason).toBe(
    'work scores 0.60 on a PLUS node: n1 goes from 1.50 to 1.00, n2 from 0.00 to 0.50',
  )
})

test('processes that share a CPU are judged by what they would use: five on one are no less to blame', () => {
  const crowded = node('n1', 5, 1, { processes: [1, 2].map((pid) => spinning(pid, { cpuPercent: 20 })) })
  expect(plan([crowded, node('n2', 0, 4)]).actions[0]).toMatchObject({ kind: 'migrate', pid: 1, cpu: 1 })
})

test.each<[string, Partial<PlanNode>]>([
  ['has not been measured', { measurement: { load1: 0, cpus: 2, ageMs: 30_001 } }],
  ['is closed', { closed: true }],
  ['is reserved by another', { reservation: { owner: 'another', leftMs: 1000 } }],
  ['has had an arrival', { arrivals: [{ cpu: 0.1, ageMs: 89_999 }] }],
  ['has no memory', { freeMemoryBytes: 0.11 * GIB }],
  ['is ERGODIC', { measurement: { load1: 0.6, cpus: 2, ageMs: 0 } }],
  ['has too few CPUs', { measurement: { load1: 0, cpus: 1, ageMs: 0 } }],
  ['is busy, which load1 does not show yet', { processes: [spinning(9)] }],
  ['is going to be busy', { arrivals: [{ cpu: 3, ageMs: 95_000 }] }],
])('a node that %s receives nothing', (_, more) => {
  expect(steps([threeOnTwo(), node('n2', 0, 2, more)])).toEqual(['none n1'])
})

test('a node that does not tell its memory receives no process, and may start a job', () => {
  const { freeMemoryBytes, ...silent } = node('n2', 0, 4)
  expect(freeMemoryBytes).toBeGreaterThan(0)
  expect(steps([threeOnTwo(), silent])).toEqual(['none n1'])
  expect(steps([silent], [{ id: 'job', cpu: 1, ageMs: 1 }])).toEqual(['start n2 job'])
})

test.each<[string, Partial<PlanNode>]>([
  ['a reservation of its own', { reservation: { owner: 'me', leftMs: 1000 } }],
  ['a reservation that is over', { reservation: { owner: 'another', leftMs: 0 } }],
  ['an arrival of long ago', { arrivals: [{ cpu: 0.1, ageMs: 90_000 }] }],
])('%s does not stand in the way', (_, more) => {
  expect(steps([threeOnTwo(), node('n2', 0, 2, more)])).toContain('migrate n1 1 n2')
})

test('a node stops to shed when it is on its way to 0.8, whatever load1 still shows', () => {
  const shed = threeOnTwo({
    measurement: { load1: 2.4, cpus: 2, ageMs: 0 },
    departures: [
      { cpu: 1, ageMs: 20_000 },
      { cpu: 1, ageMs: 20_000 },
    ],
  })
  expect(steps([shed, node('n2', 0, 2)])).toEqual(['none n1'])
  expect(reasons([shed, node('n2', 0, 2)])).toEqual(['on its way to 0.48: load1 still shows what has left'])
})

test('the highest score goes first, to the lowest ratio that it fits', () => {
  const full = node('n1', 8, 4, {
    processes: [
      spinning(1),
      spinning(2, { cpuPercent: 200, rssBytes: 3 * GIB }),
      spinning(3, { guarded: 'no' }),
    ],
  })
  const receivers = [
    node('small', 0, 2),
    node('large', 1, 16),
    node('tight', 0.5, 16, { freeMemoryBytes: GIB }),
  ]
  expect(steps([full, ...receivers])).toEqual(['migrate n1 2 large', 'migrate n1 1 tight'])
})

test.each<[string, Parameters<typeof spinning>[1], string]>([
  ['guarded', { guarded: 'PID 1 is the first process' }, 'PID 1 is the first process'],
  ['immovable', { immovable: 'it has a device open' }, 'it has a device open'],
  ['held', { held: { how: 'throttled', ageMs: 1 } }, 'it is throttled already'],
  ['just moved', { movedAgoMs: 299_999 }, 'it was moved or released in the last 5 minutes'],
])('a process that is %s stays, and the plan says why', (_, more, why) => {
  const mesh = [node('n1', 3, 2, { processes: [spinning(1, more)] }), node('n2', 0, 2)]
  expect(reasons(mesh)).toEqual([`stays at 1.50: PID 1 stays: ${why}`])
})

test('a PLUS node with nothing to blame, or nowhere to send it, says so', () => {
  expect(reasons([node('n1', 3, 2)])).toEqual(['stays at 1.50: none of its processes scores above 0.35'])
  expect(reasons([threeOnTwo()])).toEqual(['stays at 1.50: no MINUS node has room for PID 3'])
})

test('an ERGODIC node throttles when the mesh is full, and not otherwise', () => {
  const ergodic = node('n2', 1, 2, { processes: [spinning(4), spinning(5, { cpuPercent: 10 })] })
  expect(steps([node('n1', 3, 2), ergodic])).toEqual(['throttle n2 4', 'none n1'])
  expect(steps([ergodic])).toEqual([])
  expect(steps([ergodic, node('n3', 0, 2)])).toEqual([])
})

test('a MINUS node allows', () => {
  expect(steps([node('n1', 3, 2), node('n2', 0.5, 2, { processes: [spinning(4)] })])).toEqual(['none n1'])
})

const held = (pid: number, ageMs: number, cpu?: number) =>
  spinning(pid, { cpuPercent: 0, held: { how: 'paused', ageMs, ...(cpu === undefined ? {} : { cpu }) } })

test('Σ < 0 wakes what is held on MINUS nodes, the oldest first, then starts the oldest jobs', () => {
  const mesh = [
    node('n1', 0, 4, { processes: [held(1, 10), held(2, 20)] }),
    node('n2', 0, 4, { processes: [held(3, 30), held(4, 90, 9)] }),
    node('n3', 0, 8),
    node('n4', 1, 8),
    node('n5', 0, 8, { closed: true }),
  ]
  const jobs = [
    { id: 'new', cpu: 1, ageMs: 1 },
    { id: 'huge', cpu: 7, ageMs: 9 },
    { id: 'old', cpu: 2, ageMs: 5 },
  ]
  expect(steps(mesh, jobs)).toEqual(['wake n2 3', 'wake n1 2', 'start n3 old', 'start n4 new'])
})

test('a process that would take its node past 0.8 is not woken: unless known, it is a whole CPU', () => {
  expect(steps([node('n1', 0, 1, { processes: [held(1, 10)] })])).toEqual([])
  expect(steps([node('n1', 0, 1, { processes: [held(1, 10, 0.8)] })])).toEqual(['wake n1 1'])
})

test('0.8 is the bound to the last digit', () => {
  const start = (cpu: number) => steps([node('n1', 0, 2)], [{ id: 'job', cpu, ageMs: 1 }])
  expect(start(1.6)).toEqual(['start n1 job'])
  expect(start(1.6 + 5e-10)).toEqual([])
})

test('the order of nodes and of processes that are alike changes nothing', () => {
  const mesh = [threeOnTwo(), threeOnTwo({ name: 'n0' }), node('n2', 0, 2), node('n3', 0, 2)]
  const turned = mesh.map((each) => ({ ...each, processes: each.processes.toReversed() })).toReversed()
  expect(plan(turned)).toEqual(plan(mesh))
})

test('nothing is woken at Σ = 0, though Σ is on its way below', () => {
  const leaving = node('n1', 3, 2, { departures: [{ cpu: 3, ageMs: 0 }] })
  const idle = node('n2', 0, 2, { processes: [held(1, 10)] })
  const { rule, predicted } = plan([leaving, idle])
  expect([rule, predicted.sum]).toEqual([3, -2])
  expect(steps([leaving, idle])).toEqual(['none n1'])
})

test('nothing is woken once Σ is on its way to 0, nor under another rule', () => {
  const idle = ['n1', 'n2', 'n3'].map((name, index) => node(name, 0, 2, { processes: [held(index + 1, 10)] }))
  expect(steps(idle)).toHaveLength(3)
  expect(steps([...idle, node('n4', 3, 2), node('n5', 3, 2)])).toEqual(['wake n1 1', 'none n4', 'none n5'])
  expect(steps([idle[0] ?? node('n1', 0, 2), node('n4', 3, 2)])).toEqual(['none n4'])
})

test.each<[string, PlanNode[]]>([
  ['without nodes', []],
  ['of ERGODIC nodes', [node('n1', 1, 2, { processes: [spinning(1)] }), node('n2', 0.6, 2)]],
  ['of MINUS nodes with nothing to wake', [node('n1', 0, 2), node('n2', 0.1, 2)]],
])('the plan of a mesh %s is empty', (_, nodes) => {
  expect(plan(nodes).actions).toEqual([])
})

test('10,000 nodes and 100,000 processes are planned in time', () => {
  const mesh = large(10_000, 10)
  const began = performance.now()
  const { actions } = planFor(mesh, OPTIONS)
  const tookMs = performance.now() - began
  const heapMb = process.memoryUsage().heapUsed / 1e6
  process.stdout.write(
    `planned ${actions.length} actions in ${tookMs.toFixed(0)} ms, heap ${heapMb.toFixed(0)} MB\n`,
  )
  expect(actions.filter(({ kind }) => kind === 'migrate').length).toBeGreaterThan(1000)
  expect(tookMs).toBeLessThan(10_000)
})

/** Half of the nodes are full of processes that are to go, half are idle, of four sizes and with little memory. */
function large(nodes: number, processes: number): PlanSnapshot {
  return {
    jobs: [],
    nodes: Array.from({ length: nodes }, (_, index) => {
      const cpus = 2 ** (1 + (index % 4))
      const full = index % 2 === 0
      const own = Array.from({ length: processes }, (__, at) =>
        spinning(at + 1, {
          cpuPercent: full ? 40 + ((index * 7 + at * 13) % 60) : 1,
          rssBytes: (at + 1) * 1e8,
        }),
      )
      const freeMemoryBytes = ((index * 37) % 20) * 1e8
      return node(`n${index}`, full ? 2 * cpus : 0, cpus, { processes: own, freeMemoryBytes })
    }),
  }
}
