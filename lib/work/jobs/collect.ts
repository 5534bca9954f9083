import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { left } from '../admission/reserve.ts'
import { fetchReturned, missingText } from './fetch.ts'
import type { Job } from './job.ts'
import { callOn, ownerOf, reportOn, runName, type Report } from './runner.ts'
import { logFile, readJob, saveJob, withJob } from './spool.ts'
import { streamFrom } from './transfer.ts'

/** A job as it is now; `silent` is why its machine did not tell, and what is known is older. */
export type Collected = { job: Job; silent?: string }

const REASONS = {
  rebooted: 'the machine was started again before it ended',
  gone: 'it is not running there any more, and has left no exit status: it was killed with what started it',
  none: 'nothing of it is left there',
} as const

/**
 * Asks the machine of a job how it is, writes that down, and brings back its output and files when it has ended. A job
 * that is queued or over is left as it is, and so is one that another process is about.
 *
 * @throws Failure when the record or what came back can't be written; the signal's reason
 */
export async function collect(id: string, reach: Reach, limits: Limits): Promise<Collected> {
  const collected = await withJob(id, async (found) => {
    const job = await settleJob(found, reach, limits)
    const { now } = job
    if (now.state === 'starting') return { job, silent: 'whether it has started is not known' }
    if (now.state === 'running') return await ask(job, now, reach, limits)
    return now.state === 'ended' ? await fetchAll(job, now, reach, limits) : { job }
  })
  return collected ?? { job: await readJob(id) }
}

type Running = Extract<Job['now'], { state: 'starting' | 'running' }>
type Ended = Extract<Job['now'], { state: 'ended' }>

/**
 * What an earlier process left half done: files that were being sent were sent for nothing, and what was told to start
 * either has, or is made sure never to.
 */
export async function settleJob(job: Job, reach: Reach, limits: Limits): Promise<Job> {
  const { now } = job
  if (now.state === 'sending') {
    await callOn(now.host, 'run_forget', { ID: runName(job.id, job.attempt) }, reach, limits)
    return await saveJob(job, { state: 'queued' })
  }
  if (now.state !== 'starting') return job
  const run = runName(job.id, job.attempt)
  const said = await reportOn(now.host, 'run_settle', run, reach, limits)
  if (!said.known) return job
  if (said.report.state !== 'never') return await note(job, now, said.report)
  await callOn(now.host, 'run_forget', { ID: run }, reach, limits)
  return await saveJob(job, { state: 'queued' })
}

async function ask(job: Job, now: Running, reach: Reach, limits: Limits): Promise<Collected> {
  const said = await reportOn(now.host, 'run_report', runName(job.id, job.attempt), reach, limits)
  if (!said.known) return { job, silent: said.reason }
  const later = await note(job, now, said.report)
  return later.now.state === 'ended' ? await fetchAll(later, later.now, reach, limits) : { job: later }
}

/** Writes down what its machine says. */
export async function note(job: Job, { host, boot }: Running, report: Report): Promise<Job> {
  const heardAt = new Date().toISOString()
  if (report.state === 'running')
    return await saveJob(job, { state: 'running', host, boot, pid: report.pid, heardAt })
  if (report.state === 'ended')
    return await saveJob(job, { state: 'ended', host, boot, exitCode: report.exitCode })
  const reason = REASONS[report.state === 'never' ? 'none' : report.state]
  return await saveJob(job, { state: 'lost', node: host.name, reason })
}

/** Brings back the output and the files, and only then writes down that the job is done. */
async function fetchAll(job: Job, now: Ended, reach: Reach, limits: Limits): Promise<Collected> {
  const { host, exitCode } = now
  const run = runName(job.id, job.attempt)
  try {
    await fetchLog(job.id, host, run, reach, limits.signal)
    const { missing, notes } = await fetchReturned(host, run, job.work, reach, limits.signal)
    const there = { node: host.name, exitCode, notes }
    const reason = `${missingText(missing).join(', ')} on ${host.name}, where it ended with ${exitCode}`
    const done = await saveJob(
      job,
      missing.length > 0
        ? { state: 'failed', reason, ...there }
        : { state: 'done', doneAt: new Date().toISOString(), ...there },
    )
    await Promise.all([
      callOn(host, 'run_forget', { ID: run }, reach, limits),
      left(host, ownerOf(run), reach, limits),
    ])
    return { job: done }
  } catch (error) {
    limits.signal.throwIfAborted()
    if (!(error instanceof Failure)) throw error
    const said = await reportOn(host, 'run_report', run, reach, limits)
    // Its output is gone with its folder, but not how it ended.
    if (!said.known || said.report.state !== 'none') return { job, silent: error.message }
    const notes = [`its output and files are gone: ${REASONS.none}`]
    const doneAt = new Date().toISOString()
    return { job: await saveJob(job, { state: 'done', node: host.name, exitCode, doneAt, notes }) }
  }
}

async function fetchLog(
  id: string,
  host: Host,
  run: string,
  reach: Reach,
  signal: AbortSignal,
): Promise<void> {
  const file = await logFile(id)
  const part = createWriteStream(`${file}.part`, { mode: 0o600 })
  await streamFrom(host, 'run_log', { ID: run }, part, reach, signal)
  await rename(`${file}.part`, file)
}
