import fc from 'fast-check'
import type { PlanNode, PlanOptions, PlanProcess, PlanSnapshot } from '../../../../lib/model/plan/snapshot.ts'

export const GIB = 2 ** 30
export const OPTIONS: PlanOptions = { maxAgeMs: 30_000, owner: 'me' }

/** A process that spins on one CPU, but for what is said of it. */
export function spinning(pid: number, more: Partial<PlanProcess> = {}): PlanProcess {
  return {
    pid,
    user: 'operator',
    command: 'work',
    cpuPercent: 100,
    memPercent: 1,
    rssBytes: GIB / 10,
    runtimeHours: 0,
    ...more,
  }
}

/** A node that was measured just now, with room in memory and nothing to remember, but for what is said of it. */
export function node(name: string, load1: number, cpus: number, more: Partial<PlanNode> = {}): PlanNode {
  return {
    name,
    measurement: { load1, cpus, ageMs: 0 },
    freeMemoryBytes: 8 * GIB,
    arrivals: [],
    departures: [],
    processes: [],
    ...more,
  }
}

const ageMs = fc.integer({ min: 0, max: 400_000 })
const cpu = fc.double({ min: 0, max: 4, noNaN: true })
const changes = fc.array(fc.record({ cpu, ageMs }), { maxLength: 2 })
const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 })

const process = fc
  .record({
    cpuPercent: fc.double({ min: 0, max: 400, noNaN: true }),
    memPercent: fc.double({ min: 0, max: 20, noNaN: true }),
    rssBytes: fc.integer({ min: 0, max: 6 * GIB }),
    runtimeHours: fc.double({ min: 0, max: 200, noNaN: true }),
    command: fc.string(),
    guarded: sometimes(fc.constant('it is guarded')),
    immovable: sometimes(fc.constant('it has a device open')),
    movedAgoMs: sometimes(ageMs),
    held: sometimes(fc.record({ how: fc.constantFrom('paused' as const, 'throttled' as const), ageMs, cpu })),
  })
  .map((given) => withoutUndefined(given))

const aNode = fc
  .record({
    measurement: fc.option(
      fc.record({
        load1: fc.double({ min: 0, max: 20, noNaN: true }),
        cpus: fc.integer({ min: 1, max: 16 }),
        ageMs: fc.integer({ min: 0, max: 60_000 }),
      }),
      { nil: undefined, freq: 9 },
    ),
    freeMemoryBytes: fc.option(fc.integer({ min: 0, max: 32 * GIB }), { nil: undefined, freq: 9 }),
    closed: sometimes(fc.boolean()),
    reservation: sometimes(
      fc.record({ owner: fc.constantFrom('me', 'another'), leftMs: fc.integer({ min: 0, max: 60_000 }) }),
    ),
    arrivals: fc.oneof(fc.constant([]), changes),
    departures: fc.oneof(fc.constant([]), changes),
    processes: fc.array(process, { maxLength: 6 }),
  })
  .map((given) => withoutUndefined(given))

/** Meshes of up to 12 nodes, with anything that a snapshot may say. */
export const meshes: fc.Arbitrary<PlanSnapshot> = fc
  .record({
    nodes: fc.array(aNode, { maxLength: 12 }),
    jobs: fc.array(fc.record({ cpu, ageMs }), { maxLength: 6 }),
  })
  .map(({ nodes, jobs }) => ({
    nodes: nodes.map((each, index) => ({
      ...each,
      name: `n${index}`,
      processes: each.processes.map((given, at) => ({ ...spinning(100 * index + at), ...given })),
    })),
    jobs: jobs.map((job, index) => ({ ...job, id: `job${index}` })),
  }))

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Keys without a value are left out, as in a real snapshot. */
function withoutUndefined<T extends object>(given: T): Given<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is undefined is gone
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Given<T>
}
