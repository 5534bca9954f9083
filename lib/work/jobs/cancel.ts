import type { Limits } from '../../base/command.ts'
import { Failure, UsageError } from '../../base/errors.ts'
import type { Reach } from '../../mesh/remote/host.ts'
import { left } from '../admission/reserve.ts'
import { collect, note, settleJob } from './collect.ts'
import { isOver, type Job } from './job.ts'
import { callOn, ownerOf, reportOn, runName } from './runner.ts'
import { removeJob, saveJob, withJob } from './spool.ts'

/**
 * Ends a job, wherever it is: when this returns, nothing of it runs or begins any more. One that has ended by itself
 * meanwhile is not cancelled.
 *
 * @param giveUp where its machine can't be asked, call it lost
 * @throws Failure when its machine can't be asked, or something of it does not end
 */
export async function cancel(id: string, giveUp: boolean, reach: Reach, limits: Limits): Promise<Job> {
  const cancelled = await about(id, async (found) => {
    const { now } = found.now.state === 'sending' ? await settleJob(found, reach, limits) : found
    if (now.state === 'queued') return await saveJob(found, { state: 'cancelled' })
    if (now.state !== 'starting' && now.state !== 'running') return found
    const run = runName(id, found.attempt)
    const said = await reportOn(now.host, 'run_cancel', run, reach, limits)
    if (!said.known) {
      if (!giveUp)
        throw new Failure(
          `${now.host.name}: ${said.reason}: it may run there still (--give-up calls it lost all the same)`,
        )
      const reason = `given up: ${said.reason}; it may run there still`
      return await saveJob(found, { state: 'lost', node: now.host.name, reason })
    }
    if (said.report.state === 'ended') return await note(found, now, said.report)
    const job = await saveJob(found, { state: 'cancelled' })
    await Promise.all([
      callOn(now.host, 'run_forget', { ID: run }, reach, limits),
      left(now.host, ownerOf(run), reach, limits),
    ])
    return job
  })
  return cancelled.now.state === 'ended' ? (await collect(id, reach, limits)).job : cancelled
}

/** Queues a job again that is over: the one way in which it may run a second time. @throws UsageError */
export async function retry(id: string): Promise<Job> {
  return await about(id, async (job) => {
    if (!isOver(job))
      throw new UsageError(`job ${id} is ${job.now.state}: there is nothing to be tried again`)
    return await saveJob(job, { state: 'queued' })
  })
}

/** Removes a job that is over, with its log. @throws UsageError */
export async function forget(id: string): Promise<void> {
  await about(id, async (job) => {
    if (!isOver(job)) throw new UsageError(`job ${id} is ${job.now.state}: cancel it first`)
    await removeJob(job)
  })
}

async function about<T>(id: string, work: (job: Job) => Promise<T>): Promise<T> {
  const result = await withJob(id, async (job) => ({ done: await work(job) }))
  if (result === undefined) throw new Failure(`another process is about job ${id}: try again`)
  return result.done
}
