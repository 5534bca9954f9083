import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unseen } from '../../../../lib/model/load-average.ts'
import { ARRIVAL_GAP_MS, REST_MS } from '../../../../lib/model/plan/forecast.ts'
import { planFor } from '../../../../lib/model/plan/plan.ts'
import type { PlanAction, PlanNode, PlanSnapshot } from '../../../../lib/model/plan/snapshot.ts'
import { balanceOf } from '../../../../lib/model/balance.ts'
import { tritOf } from '../../../../lib/model/trit.ts'
import { meshes, OPTIONS } from './mesh.ts'

const RUNS = { numRuns: 2000 }
/** A queued job that just fits beside a process that uses next to nothing. */
const FILLED: PlanSnapshot = {
  nodes: [
    {
      name: 'n0',
      measurement: { load1: 0, cpus: 5, ageMs: 0 },
      arrivals: [],
      departures: [],
      processes: [
        {
          pid: 1,
          user: 'operator',
          command: '',
          cpuPercent: 4e-5,
          memPercent: 0,
          rssBytes: 0,
          runtimeHours: 0,
        },
      ],
    },
  ],
  jobs: [{ id: 'job0', cpu: 3.999_999_999_999_995, ageMs: 0 }],
}

/** The node on which an action puts load, and the load in CPUs. */
function added(action: PlanAction): { name: string; cpu: number } | undefined {
  if (action.kind === 'migrate') return { name: action.to, cpu: action.cpu }
  if (action.kind === 'wake' || action.kind === 'start') return { name: action.node, cpu: action.cpu }
  return undefined
}

function nodeNamed({ nodes }: PlanSnapshot, name: string): PlanNode {
  const found = nodes.find((node) => node.name === name)
  if (!found) throw new Error(`the plan names ${name}, which is not in the mesh`)
  return found
}

function fresh({ measurement }: PlanNode): boolean {
  return measurement !== undefined && measurement.ageMs <= OPTIONS.maxAgeMs
}

/** Every action of every plan of a mesh, with the mesh. */
function everyAction(check: (action: PlanAction, mesh: PlanSnapshot) => void): void {
  fc.assert(
    fc.property(meshes, (mesh) => {
      for (const action of planFor(mesh, OPTIONS).actions) check(action, mesh)
    }),
    { ...RUNS, examples: [[FILLED]] },
  )
}

test('no plan takes a receiver past 0.8, counting what came and load1 does not show yet', () => {
  everyAction((action, mesh) => {
    const more = added(action)
    if (!more) return
    const { measurement, arrivals, departures, processes } = nodeNamed(mesh, more.name)
    const { load1, cpus } = measurement ?? { load1: Number.NaN, cpus: 1 }
    const unseenOf = (changes: PlanNode['arrivals']) =>
      changes.reduce((sum, { cpu, ageMs }) => sum + cpu * unseen(ageMs), 0)
    const busy = processes.reduce((sum, { cpuPercent }) => sum + cpuPercent / 100, 0)
    const after = Math.max(0, load1 + unseenOf(arrivals) - unseenOf(departures)) + more.cpu
    expect(after / cpus).toBeLessThanOrEqual(0.8 + 1e-9)
    expect((busy + more.cpu) / cpus).toBeLessThanOrEqual(0.8 + 1e-9)
  })
})

test('what arrives finds a MINUS node that is open, unreserved, has had no arrival in 90 s, and has the memory', () => {
  everyAction((action, mesh) => {
    const more = added(action)
    if (!more) return
    const { measurement, arrivals, reservation, closed, freeMemoryBytes = 0 } = nodeNamed(mesh, more.name)
    const { load1, cpus, ageMs } = measurement ?? { load1: Number.NaN, cpus: 1, ageMs: 0 }
    expect(tritOf(load1, cpus)).toBe(-1)
    expect(arrivals.every((arrival) => arrival.ageMs + ageMs >= ARRIVAL_GAP_MS)).toBe(true)
    expect(!reservation || reservation.owner === OPTIONS.owner || reservation.leftMs <= ageMs).toBe(true)
    if (action.kind === 'wake') return
    expect(closed ?? false).toBe(false)
    if (action.kind !== 'migrate') return
    const process = nodeNamed(mesh, action.node).processes.find(({ pid }) => pid === action.pid)
    expect(freeMemoryBytes).toBeGreaterThanOrEqual(1.2 * (process?.rssBytes ?? Number.NaN))
  })
})

test('nothing is done to a guarded process, to one that has just been moved, or twice', () => {
  everyAction((action, mesh) => {
    if (action.kind !== 'migrate' && action.kind !== 'throttle' && action.kind !== 'wake') return
    const process = nodeNamed(mesh, action.node).processes.find(({ pid }) => pid === action.pid)
    expect(process).toBeDefined()
    expect(process?.guarded).toBeUndefined()
    if (action.kind === 'wake') {
      expect(process?.held).toBeDefined()
      return
    }
    expect(process?.held).toBeUndefined()
    expect(process?.movedAgoMs ?? REST_MS).toBeGreaterThanOrEqual(REST_MS)
    if (action.kind === 'migrate') expect(process?.immovable).toBeUndefined()
  })
})

test('no plan names a node that was not measured, or too long ago', () => {
  everyAction((action, mesh) => {
    expect(fresh(nodeNamed(mesh, action.node))).toBe(true)
    if (action.kind === 'migrate') expect(fresh(nodeNamed(mesh, action.to))).toBe(true)
  })
})

test('no plan uses a receiver, a process or a job twice', () => {
  fc.assert(
    fc.property(meshes, (mesh) => {
      const { actions } = planFor(mesh, OPTIONS)
      const receivers = actions.flatMap((action) => added(action)?.name ?? [])
      const subjects = actions.flatMap((action) =>
        action.kind === 'none' ? [] : [action.kind === 'start' ? action.job : action.pid],
      )
      expect(new Set(receivers).size).toBe(receivers.length)
      expect(new Set(subjects).size).toBe(subjects.length)
    }),
    RUNS,
  )
})

test('the same mesh in any order has the same plan', () => {
  const shuffled = meshes.chain((mesh) =>
    fc
      .tuple(
        fc.shuffledSubarray([...mesh.nodes], { minLength: mesh.nodes.length }),
        fc.shuffledSubarray([...mesh.jobs], { minLength: mesh.jobs.length }),
      )
      .map(([nodes, jobs]) => ({
        mesh,
        other: {
          nodes: nodes.map((node) => ({ ...node, processes: node.processes.toReversed() })),
          jobs,
        },
      })),
  )
  fc.assert(
    fc.property(shuffled, ({ mesh, other }) => {
      const before = structuredClone(mesh)
      const plan = planFor(mesh, OPTIONS)
      expect(mesh).toEqual(before)
      expect(planFor(other, OPTIONS)).toEqual(plan)
    }),
    RUNS,
  )
})

test('Σ, the invariant and the rule are those of the nodes that count', () => {
  fc.assert(
    fc.property(meshes, (mesh) => {
      const counted = mesh.nodes
        .filter((node) => fresh(node))
        .flatMap(({ name, measurement }) => {
          if (!measurement) return []
          const { load1, cpus } = measurement
          return [{ name, ratio: load1 / cpus, trit: tritOf(load1, cpus) }]
        })
      const { sum, invariantHolds, rule } = balanceOf(counted)
      const plan = planFor(mesh, OPTIONS)
      expect(plan).toMatchObject({ sum, invariantHolds, rule })
      expect(plan.invariantHolds).toBe(plan.mod3 === 0)
      expect(plan.predicted.invariantHolds).toBe(plan.predicted.mod3 === 0)
      expect(Math.abs((plan.predicted.sum - plan.predicted.mod3) % 3)).toBe(0)
    }),
    RUNS,
  )
})

test('without a PLUS node nothing moves, and at Σ = 0 besides nothing is done at all', () => {
  fc.assert(
    fc.property(meshes, (mesh) => {
      const calm = mesh.nodes.filter(({ measurement: m }) => m && tritOf(m.load1, m.cpus) !== 1)
      const { rule, actions } = planFor({ ...mesh, nodes: calm }, OPTIONS)
      expect(actions.filter(({ kind }) => kind === 'migrate' || kind === 'none')).toEqual([])
      if (rule === 3) expect(actions).toEqual([])
    }),
    RUNS,
  )
})
