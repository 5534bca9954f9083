import { Failure, Interrupted, Refused } from '../../lib/base/errors.ts'
import { messageOf } from '../../lib/base/text.ts'
import type { Reach } from '../../lib/mesh/remote/host.ts'
import type { PlanAction } from '../../lib/model/plan/snapshot.ts'
import { collect } from '../../lib/work/jobs/collect.ts'
import { readJobs } from '../../lib/work/jobs/spool.ts'
import { startJob } from '../../lib/work/jobs/start.ts'
import { openJournals } from '../../lib/work/migrate/journal.ts'
import { outcomeText } from '../../lib/work/migrate/outcome-text.ts'
import { stateOf } from '../../lib/work/migrate/state.ts'
import type { Went } from '../../lib/work/rebalance/carry-out.ts'
import type { Move } from '../../lib/work/rebalance/check.ts'
import { throttle, wake } from '../../lib/work/rebalance/hold.ts'
import { repairFirst } from '../hold/repair.ts'
import { silently, type Deps } from '../verb.ts'
import { carryOut } from './carry-out.ts'
import type { Survey } from './survey.ts'

export type Act = Exclude<PlanAction, { kind: 'none' }>

const INTERRUPTED: Went = { outcome: 'skipped', detail: 'interrupted' }

/** Does one action of the plan, as the verb would that a person calls for it. Once interrupted, none is begun. */
export function acting(survey: Survey, signal: AbortSignal, reach: Reach): (action: Act) => Promise<Went> {
  return async (action) => {
    const place = survey.places.get(action.node)
    if (!place) throw new RangeError(`${action.node} is not in the mesh`)
    if (signal.aborted) return INTERRUPTED
    try {
      if (action.kind === 'migrate') return await move(action, survey, signal, reach)
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
export async function finishEarlier(deps: Deps, reach: Reach): Promise<void> {
  await repairFirst(deps)
  const { journals } = await openJournals()
  const states = await Promise.all(journals.map(async (journal) => await stateOf(journal)))
  for (const { id, state } of states)
    if (state === 'in doubt') deps.warn(`migration ${id} is in doubt: run: just migrate-recover ${id}`)
  const limits = { timeoutMs: reach.connectMs, signal: deps.signal }
  for (const { id, now } of await readJobs()) if (now.state === 'starting') await collect(id, reach, limits)
}

async function move(action: Move, { ways }: Survey, signal: AbortSignal, reach: Reach): Promise<Went> {
  const way = ways.get(action)
  if (!way) throw new RangeError('a move that was not looked at')
  const ended = await carryOut(way, silently(signal), reach)
  const { outcome, detail, refused, interrupted } = ended
  if (outcome === 'moved') return { outcome: 'done', detail }
  if (refused !== undefined || interrupted) return { outcome: 'skipped', detail }
  return { outcome: outcome === 'doubt' ? 'in doubt' : 'failed', detail: outcomeText(ended) }
}
