import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { arrived } from '../admission/reserve.ts'
import { shellWords } from '../../base/shell.ts'
import { holding } from './hold.ts'
import { isOver, type Job } from './job.ts'
import { callOn, ownerOf, parseReport, runName, whyNot } from './runner.ts'
import { settleJob } from './collect.ts'
import { saveJob, withJob } from './spool.ts'
import { sendFiles } from './transfer.ts'

export type StartOptions = {
  signal: AbortSignal
  /** Not where something has just arrived: see `ARRIVAL_REST_SECONDS`. */
  settled?: boolean
}

/** What came of it, in words that read on after the machine's name where it was not started. */
export type Started = { started: boolean; job: Job; reason?: string }

const STEP_MS = 30_000
/** How long after a machine was made ready it still takes the start: one that is on its way for longer comes too late. */
const START_WITHIN_SECONDS = 120

/**
 * Starts a queued job on a machine, detached: reserves the machine, sends the files, and tells it to start. What the
 * record says is always true: it says `starting` before the machine is told, and from then on the job is not started
 * anywhere else until that machine has said that it did not, and will not.
 *
 * @throws Failure when it is not queued, or another process is about it; the signal's reason
 */
export async function startJob(
  id: string,
  host: Host,
  reach: Reach,
  options: StartOptions,
): Promise<Started> {
  const started = await withJob(id, async (found) => {
    const job = await settleJob(found, reach, { timeoutMs: STEP_MS, signal: options.signal })
    if (job.now.state !== 'queued')
      throw new Failure(
        `job ${id} is ${job.now.state}${isOver(job) ? ': `just jobs retry` queues it again' : ''}`,
      )
    return await attempt({ ...job, attempt: job.attempt + 1 }, host, reach, options)
  })
  if (started === undefined) throw new Failure(`another process is about job ${id}`)
  return started
}

async function attempt(job: Job, host: Host, reach: Reach, options: StartOptions): Promise<Started> {
  const { signal, settled = false } = options
  const run = runName(job.id, job.attempt)
  const hold = { owner: ownerOf(run), cpu: job.work.cpu, settled }
  const limits = { timeoutMs: STEP_MS, signal }
  const held = await holding(host, hold, reach, signal, async (hasArrived) => {
    const ready = await send(job, host, run, reach, signal)
    if ('reason' in ready) return ready
    const started = await start(ready, host, run, hold.owner, reach, limits)
    if (started.started && (await arrived(host, hold, reach, limits)).taken) hasArrived()
    return started
  })
  return held.taken ? held.result : { started: false, job, reason: held.reason }
}

type Ready = { job: Job; boot: string; before: () => number }

/** Makes the job ready on its machine. When this returns, nothing has been told to start yet. */
async function send(
  job: Job,
  host: Host,
  run: string,
  reach: Reach,
  signal: AbortSignal,
): Promise<Ready | (Started & { reason: string })> {
  const limits = { timeoutMs: STEP_MS, signal }
  const files = job.work.send
  const sending = await saveJob(job, { state: 'sending', host })
  try {
    const ready = await prepare(host, run, files.length > 0, reach, limits)
    if (files.length > 0) await sendFiles(host, run, files, ready.gnuTar, reach, signal)
    return { job: sending, ...ready }
  } catch (error) {
    if (!(error instanceof Failure) || signal.aborted) throw error
    await callOn(host, 'run_forget', { ID: run }, reach, limits)
    return {
      started: false,
      job: await saveJob(job, { state: 'queued' }),
      reason: error.message.replace(`${host.name}: `, ''),
    }
  }
}

async function start(
  { job, boot, before }: Ready,
  host: Host,
  run: string,
  owner: string,
  reach: Reach,
  limits: Limits,
): Promise<Started> {
  const { argv, cwd, env } = job.work
  const starting = await saveJob(job, { state: 'starting', host, boot })
  const values = { ID: run, BOOT: boot, BEFORE: String(before()), OWNER: owner, CWD: cwd }
  const words = { ARGV: shellWords(argv), ENV: shellWords(env) }
  const said = await callOn(host, 'run_detached', { ...values, ...words }, reach, limits)
  const report = said.known && said.status === 0 ? parseReport(said.output) : undefined
  if (said.known && said.status !== 0) {
    // The machine has said that it did not start. Without its folder it never can, so the folder is removed.
    const gone = await callOn(host, 'run_forget', { ID: run }, reach, limits)
    if (!gone.known || gone.status !== 0) return { started: false, job: starting, reason: whyNot(said) }
    const reason = whyNot(said)
    const next =
      said.status === NO_FOLDER ? ({ state: 'failed', reason } as const) : ({ state: 'queued' } as const)
    return { started: false, job: await saveJob(job, next), reason }
  }
  if (!report) return { started: false, job: starting, reason: whyNot(said) }
  const heardAt = new Date().toISOString()
  const pid = report.state === 'running' ? report.pid : 0
  const running = await saveJob(job, { state: 'running', host, boot, pid, heardAt })
  return { started: true, job: running }
}

/** Status of run_begin where the folder that the person named is not there. */
const NO_FOLDER = 68

/**
 * Makes the folder of a run there. `before` is the time there until which it may start, `gnuTar` whether files may be
 * sent with their holes.
 *
 * @throws Failure
 */
export async function prepare(
  host: Host,
  run: string,
  withFiles: boolean,
  reach: Reach,
  limits: Limits,
): Promise<{ boot: string; before: () => number; gnuTar: boolean }> {
  const said = await callOn(host, 'run_prepare', { ID: run, TAR: withFiles ? '1' : '' }, reach, limits)
  const text = said.known && said.status === 0 ? said.output : ''
  const [boot, now] = [/^boot (\S{1,80})$/m.exec(text)?.[1], /^now (\d{1,12})$/m.exec(text)?.[1]]
  if (boot === undefined || now === undefined) throw new Failure(`${host.name}: ${whyNot(said)}`)
  const began = performance.now()
  const before = () => Number(now) + Math.ceil((performance.now() - began) / 1000) + START_WITHIN_SECONDS
  return { boot, before, gnuTar: /^tar gnu$/m.test(text) }
}
