import { Failure, Interrupted, Refused } from '../lib/errors.ts'
import type { Reach } from '../lib/host/host.ts'
import { collect } from '../lib/jobs/collect.ts'
import { readJobs } from '../lib/jobs/spool.ts'
import { startJob } from '../lib/jobs/start.ts'
import { openJournals } from '../lib/migrate/journal.ts'
import { stateOf } from '../lib/migrate/state.ts'
import type { Move } from '../lib/rebalance/check.ts'
import type { Went } from '../lib/rebalance/carry-out.ts'
import type { PlanAction } from '../lib/plan/snapshot.ts'
import { throttle, wake } from '../lib/rebalance/hold.ts'
import { messageOf } from '../lib/text.ts'
import { carryOut as migrate, outcomeText } from './migrate-run.ts'
import { repairFirst } from './repair.ts'
import type { RebalanceContext, Survey } from './rebalance.ts'

export type Act = Exclude<PlanAction, { kind: 'none' }>

const INTERRUPTED: Went = { outcome: 'skipped', detail: 'interrupted' }

/** Does one action of the plan, as the script would that a person calls for it. Once interrupted, none is begun. */
export function acting(
  survey: Survey,
  context: RebalanceContext,
  reach: Reach,
): (action: Act) => Promise<Went> {
  const { signal } = context
  return async (action) => {
    const place = survey.places.get(action.node)
    if (!place) throw new RangeError(`${action.node} is not in the mesh`)
    if (signal.aborted) return INTERRUPTED
    try {
      if (action.kind === 'migrate') return await move(action, survey, context, reach)
      if (action.kind === 'throttle') return await throttle(action, place, reach, signal)
      if (action.kind === 'wake') return await wake(action, place, reach, signal)
      const started = await startJob(action.job, place.host, reach, { signal, settled: true })
      if (started.started) return { outcome: 'done', detail: `it runs on ${action.node}` }
      const { state } = started.job.now
      const detail = started.reason ?? ''
      return {
        outcome: state === 'queued' ? 'skipped' : state === 'starting' ? 'in doubt' : 'failed',
        detail,
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error instanceof Interrupted) return INTERRUPTED
      const outcome = error instanceof Refused || action.kind === 'start' ? 'skipped' : 'failed'
      return { outcome, detail: messageOf(error) }
    }
  }
}

/**
 * What an earlier run that was ended has left: processes that it was about to hold are released, and whether jobs that
 * it was about to start have started is asked. Migrations have come to their end by themselves, or are told of.
 */
export async function finishEarlier(context: RebalanceContext, reach: Reach): Promise<void> {
  const { signal, note } = context
  await repairFirst(context)
  const { journals } = await openJournals()
  const states = await Promise.all(journals.map(async (journal) => await stateOf(journal)))
  for (const { id, state } of states)
    if (state === 'in doubt') note(`migration ${id} is in doubt: run: just migrate-recover ${id}`)
  const limits = { timeoutMs: reach.connectMs, signal }
  for (const { id, now } of await readJobs()) if (now.state === 'starting') await collect(id, reach, limits)
}

async function move(action: Move, { ways }: Survey, context: RebalanceContext, reach: Reach): Promise<Went> {
  const way = ways.get(action)
  if (!way) throw new RangeError('a move that was not looked at')
  const silent = { values: { quiet: true }, print: () => {}, printJson: () => {}, note: () => {} }
  const ended = await migrate(way, { ...silent, signal: context.signal }, reach)
  if (ended.kind === 'moved') return { outcome: 'done', detail: ended.detail }
  const refused = ended.refused !== undefined || ended.interrupted === true
  if (refused) return { outcome: 'skipped', detail: ended.detail }
  return { outcome: ended.kind === 'doubt' ? 'in doubt' : 'failed', detail: outcomeText(way, ended) }
}
