import { Failure } from '../../lib/base/errors.ts'
import type { MeshNode } from '../../lib/mesh/node.ts'
import { hostOf, type Host, type Reach } from '../../lib/mesh/remote/host.ts'
import { nodeStates, type NodeState } from '../../lib/mesh/snapshot.ts'
import type { PlanSnapshot } from '../../lib/model/plan/snapshot.ts'
import type { Job } from '../../lib/work/jobs/job.ts'
import { readJobs } from '../../lib/work/jobs/spool.ts'
import type { SourceFacts } from '../../lib/work/migrate/facts/facts.ts'
import type { Refusal } from '../../lib/work/migrate/facts/refusal.ts'
import type { MigrationPlan } from '../../lib/work/migrate/plan.ts'
import { refusals } from '../../lib/work/migrate/preflight.ts'
import { steadySource } from '../../lib/work/migrate/steady.ts'
import { checkedPlan, type Checked, type Hindrance, type Move } from '../../lib/work/rebalance/check.ts'
import { releasesThere } from '../../lib/work/rebalance/hold-elsewhere.ts'
import { observed, type Observed } from '../../lib/work/rebalance/observe.ts'
import { CANDIDATES, MAX_AGE_SECONDS, REBALANCE_WINDOW_MS } from '../bounds.ts'
import { askMesh } from '../see/mesh.ts'
import type { Deps } from '../verb.ts'
import { planFor, reasonText } from './choose.ts'
import type { RebalanceInput } from './schemas.ts'

/** The mesh as it was found, and how to act on it. */
export type Survey = Checked<MigrationPlan> & {
  /** When it was begun to ask, of `performance.now()`. */
  askedMs: number
  maxAgeMs: number
  places: ReadonlyMap<string, Place>
  /** As mesh-balance shows them. */
  nodes: NodeState[]
}
export type Place = Observed & { mesh: MeshNode; host: Host }

const GATHER_MS = 120_000
/** What stands in the way of every process of the machine, or of every one that would come to it. */
const WHOLE = ['unreachable', 'no-root', 'not-linux', 'no-criu', 'criu-check']
const WHOLE_TARGET = [...WHOLE, 'same-machine', 'arch', 'kernel', 'criu-version', 'cpu', 'disk']

/** Asks the mesh, and plans; every move has been looked at as migrate-scum would. Nothing is changed. */
export async function survey(input: RebalanceInput, deps: Deps, reach: Reach): Promise<Survey> {
  const { windowMs = REBALANCE_WINDOW_MS.usual, maxAgeSeconds = MAX_AGE_SECONDS.usual } = input
  const maxAgeMs = maxAgeSeconds * 1000
  const askedMs = performance.now()
  const reports = await askMesh(input, deps, {
    windowMs,
    family: true,
    extremes: { emptiest: CANDIDATES, fullest: CANDIDATES },
    inPerson: true,
  })
  const ageMs = performance.now() - askedMs
  const places = new Map(
    reports.map((report): [string, Place] => {
      const { self, name } = report.node
      const node = observed(
        report,
        ageMs,
        new Date(),
        (record) => self || releasesThere(record),
        input.withTerminals,
      )
      return [name, { ...node, mesh: report.node, host: hostOf(report.node) }]
    }),
  )
  if (![...places.values()].some(({ node: { measurement } }) => measurement && ageMs <= maxAgeMs))
    throw new Failure('no machine gave a measurement: nothing can be planned; `just mesh-balance` shows why')
  const jobs = (await readJobs()).flatMap((job) => waiting(job))
  const snapshot: PlanSnapshot = { nodes: [...places.values()].map(({ node }) => node), jobs }
  const checked = await checkedPlan(snapshot, { maxAgeMs }, looking(input, deps, places, reach))
  return { ...checked, askedMs, maxAgeMs, places, nodes: nodeStates(reports) }
}

/** Also one whose files were being sent when who sent them was ended. */
function waiting({ id, work, now, queuedAt }: Job): PlanSnapshot['jobs'] {
  if (now.state !== 'queued' && now.state !== 'sending') return []
  return [{ id, cpu: work.cpu, ageMs: Math.max(0, Date.now() - Date.parse(queuedAt)) }]
}

/** Looks at moves: at each process once, and at each target of each. */
function looking(
  { copyFiles = false, withTerminals = false }: RebalanceInput,
  { signal }: Deps,
  places: ReadonlyMap<string, Place>,
  reach: Reach,
): Parameters<typeof checkedPlan<MigrationPlan>>[2] {
  const known = new Map<string, Promise<SourceFacts | Hindrance>>()
  const factsOf = async ({ node, pid }: Move, { host, node: { processes } }: Place) => {
    const gathered = await steadySource(host, pid, reach, { timeoutMs: GATHER_MS, signal })
    if (!gathered.known) return hindrance([gathered.refusal], 'source')
    const { facts } = gathered
    const start = processes.find((unit) => unit.pid === pid)?.start
    if (start !== String(facts.tree[0].startTicks)) return ended(`PID ${pid} has ended on ${node}`)
    const found = refusals(facts, undefined, { copyFiles, force: false, withTerminals })
    return found.length > 0 ? hindrance(found, 'source') : facts
  }
  return async (move) => {
    const [from, to] = [places.get(move.node), places.get(move.to)]
    if (!from || !to) throw new RangeError(`${move.node} or ${move.to} is not in the mesh`)
    const key = `${move.pid} ${move.node}`
    const facts = await (known.get(key) ?? known.set(key, factsOf(move, from)).get(key))
    if (!facts || 'movable' in facts) return facts ?? ended('nothing is known of it')
    const moving = { facts, host: from.host, cpu: move.cpu }
    const found = await planFor({ copyFiles, withTerminals }, moving, to.mesh, reach, signal)
    if ('version' in found) return { movable: true, way: found }
    return hindrance(found.refusals, 'target')
  }
}

function ended(reason: string): Hindrance {
  return { movable: false, because: 'process', reason }
}

function hindrance(found: readonly Refusal[], end: Refusal['at']): Hindrance {
  const reason = found.map((each) => reasonText(each)).join('; ')
  const [whole, one] = end === 'source' ? [WHOLE, 'process' as const] : [WHOLE_TARGET, 'pair' as const]
  const because = found.some(({ code, at }) => at === end && whole.includes(code)) ? end : one
  return { movable: false, because, reason }
}
