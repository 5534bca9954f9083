import { Connections } from '../../lib/mesh/connections.ts'
import { observe } from '../../lib/mesh/observer/observe.ts'
import type { Observed, Observer } from '../../lib/mesh/observer/observed.ts'
import { snapshotOf, type MeshSnapshot } from '../../lib/mesh/snapshot.ts'
import { FANOUT, ROUND_SECONDS } from '../bounds.ts'
import { meshOf } from '../see/mesh.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import type { WatchInput, WatchLine, WatchResult } from './schemas.ts'
import { UnderWayReader } from './under-way.ts'

/** How often it is looked at what this machine has under way elsewhere. */
const UNDER_WAY_MS = 2000

/**
 * An observer of the mesh that the input means, until the signal of `deps` is aborted.
 *
 * @throws UsageError. What keeps the mesh from being known at all, `ended` of the observer tells.
 */
export async function watchMesh(input: WatchInput, deps: Deps): Promise<Observer> {
  const find = await meshOf(input, deps)
  return observe(
    {
      find,
      roundMs: 1000 * (input.intervalSeconds ?? ROUND_SECONDS.usual),
      fanout: input.fanout ?? FANOUT.usual,
      connectMs: timeoutMsOf(input),
      connections: await Connections.open(),
    },
    deps.signal,
  )
}

/** The mesh as it is known now, as mesh-balance has it: without the machines that have not answered or failed yet. */
export function meshNow({ machines, mesh }: Observer): MeshSnapshot {
  const reports = [...machines.values()].flatMap(({ report }) => report ?? [])
  return snapshotOf(reports, new Date(), mesh)
}

/**
 * Tells what changes in the mesh, until the signal is aborted: of a machine its trit, why it gives no measurement, whether it
 * takes work; the sum and the rule; what is under way.
 *
 * @param tell told of each change; what is so at the beginning counts as one
 * @throws UsageError, Failure; the signal's reason
 */
export async function watch(
  input: WatchInput,
  deps: Deps,
  tell: (line: WatchLine) => void = () => {},
): Promise<WatchResult> {
  const over = new AbortController()
  const signal = AbortSignal.any([deps.signal, over.signal])
  const observer = await watchMesh(input, { ...deps, signal })
  const told = new Map<string, string>()
  const once = (key: string, of: unknown, line: () => WatchLine) => {
    const text = JSON.stringify(of)
    if (told.get(key) === text) return
    told.set(key, text)
    tell(line())
  }
  const at = () => new Date().toISOString()
  const reader = new UnderWayReader()
  const underWay = eachTime(UNDER_WAY_MS, signal, async () => {
    const { migrations, jobs } = await reader.read()
    for (const each of migrations)
      once(`migration ${each.id}`, [each.state, each.step, each.outcome], () => ({
        event: 'migration',
        at: at(),
        ...each,
      }))
    for (const each of jobs)
      once(`job ${each.id}`, [each.state, each.node], () => ({ event: 'job', at: at(), ...each }))
  })
  // What goes wrong here ends the whole.
  underWay.catch(() => over.abort())
  for await (const { changed, gone, mesh } of observer.changes()) {
    for (const name of gone) {
      told.delete(`machine ${name}`)
      tell({ event: 'gone', at: at(), name })
    }
    const { warning, hint } = observer.mesh
    if (mesh && hint !== undefined && !told.has('hint')) deps.hint(hint)
    if (hint !== undefined) told.set('hint', hint)
    if (mesh && warning !== undefined)
      once('warning', warning, () => ({ event: 'warning', at: at(), text: warning }))
    for (const name of changed) {
      const observed = observer.machines.get(name)
      if (observed?.report) tellOf(observed, (of, line) => once(`machine ${name}`, of, line))
    }
    const { sum, rule, invariantHolds, moves } = meshNow(observer)
    // Σ of a mesh of which some have not said anything yet is no Σ.
    const all = [...observer.machines.values()].every(({ report }) => report !== undefined)
    if (all && sum !== undefined && rule !== undefined && invariantHolds !== undefined)
      once('balance', [sum, rule, moves], () => ({
        event: 'balance',
        at: at(),
        sum,
        invariantHolds,
        rule,
        moves,
      }))
  }
  over.abort()
  await Promise.all([observer.ended, underWay])
  deps.signal.throwIfAborted()
  return {}
}

function tellOf(observed: Observed, once: (of: unknown, line: () => WatchLine) => void): void {
  const { report } = observed
  if (!report) return
  const [node] = snapshotOf([report], new Date(), { from: 'alone' }).nodes
  if (!node) return
  const { closed, reserved } = node.outcome === 'ok' ? (node.receiver ?? {}) : {}
  const what = node.outcome === 'ok' ? node.trit : [node.outcome, node.reason]
  once([what, closed, reserved?.owner], () => ({ event: 'machine', at: new Date().toISOString(), node }))
}

/** Does something again and again until the signal is aborted; the time between is what passes after its end. */
export async function eachTime(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work()
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    })
  }
}
