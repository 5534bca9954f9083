/**
 * plan: how long the plan for a mesh takes that has been measured, beside the policies that it is simulated with.
 *
 * Usage: just bench plan [--rounds N]     20 rounds
 *
 * Meshes of 100, 1,000 and 5,000 machines with twenty processes each, a third of them overloaded. In this process, on
 * one CPU; the others decide less, see `just simulate`.
 */
import { parseArgs } from 'node:util'
import type { PlanNode, PlanProcess } from '../lib/model/plan/snapshot.ts'
import { decide, POLICY_TEXTS, type Policy } from '../test/sim/policies.ts'
import { Random } from '../test/sim/random.ts'
import { median, report, rowOf, type Row } from './report.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } })
const OPTIONS = { maxAgeMs: 60_000 }
const COMPARED: readonly Policy[] = ['planner', 'naive', 'two-choices']
const random = new Random(1, 'bench')

function machine(index: number): PlanNode {
  const cpus = 4
  const load1 = cpus * 1.2 * random.next()
  const processes = Array.from({ length: 20 }, (_, each): PlanProcess => ({
    pid: 1000 + each,
    user: 'operator',
    command: 'work',
    cpuPercent: (100 * load1) / 20,
    memPercent: random.next(),
    rssBytes: 1e8,
    runtimeHours: random.next(),
  }))
  return {
    name: `n${index}`,
    measurement: { load1, cpus, ageMs: 1000 },
    freeMemoryBytes: 8e9,
    arrivals: [],
    departures: [],
    processes,
  }
}

const rows = [100, 1000, 5000].flatMap((machines): Row[] => {
  const nodes = Array.from({ length: machines }, (_, index) => machine(index))
  const took = new Map(COMPARED.map((policy) => [policy, [] as number[]]))
  for (let round = 0; round < Number(values.rounds); round += 1)
    for (const [policy, all] of took) {
      const began = performance.now()
      decide(policy, nodes, OPTIONS, random)
      all.push(performance.now() - began)
    }
  const naive = median(took.get('naive') ?? [])
  return [...took].map(([policy, all]) =>
    rowOf(`${machines} machines`, `${policy}: ${POLICY_TEXTS[policy]}`, 'ms', all, naive),
  )
})
report('plan', rows, 'naive')
