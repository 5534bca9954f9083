import type { Writable } from 'node:stream'
import pMap from 'p-map'
import type { Limits } from '../../lib/base/command.ts'
import { NoSuitableNode } from '../../lib/base/errors.ts'
import { Connections } from '../../lib/mesh/connections.ts'
import type { Reach } from '../../lib/mesh/remote/host.ts'
import { cancel, forget, retry } from '../../lib/work/jobs/cancel.ts'
import { collect, type Collected } from '../../lib/work/jobs/collect.ts'
import { printLog } from '../../lib/work/jobs/log.ts'
import { enqueue as spool, readJob, readJobs } from '../../lib/work/jobs/spool.ts'
import { startJob as startOn, type Started } from '../../lib/work/jobs/start.ts'
import { FANOUT } from '../bounds.ts'
import { type MeshInput } from '../see/mesh.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import type {
  CancelJobInput,
  EnqueueInput,
  EnqueueResult,
  ForgetJobResult,
  JobDocument,
  JobInput,
  ListJobsInput,
  ListJobsResult,
  StartJobInput,
  StartJobResult,
} from './schemas.ts'
import { nowhere, placesFor, targetOf, workOf } from './work.ts'

/** Puts a command into the spool of this machine. @throws UsageError, Failure */
export async function enqueue(input: EnqueueInput): Promise<EnqueueResult> {
  const { id, name, work, queuedAt } = await spool(await workOf(input), input.name)
  return { id, ...(name === undefined ? {} : { name }), command: work.argv, state: 'queued', queuedAt }
}

/** All jobs, as their machines say that they are now, or as was heard last; where they are asked, what has ended comes back. */
export async function listJobs(input: ListJobsInput, deps: Deps): Promise<ListJobsResult> {
  const jobs = await readJobs()
  if (input.ask === false) return { jobs: jobs.map((job) => documentOf({ job })) }
  const { reach, limits } = await within(input, deps)
  const progress = jobs.length > 0 ? await deps.progress('asking where they run') : undefined
  const concurrency = input.fanout ?? FANOUT.usual
  try {
    const collected = await pMap(jobs, async ({ id }) => await collect(id, reach, limits), { concurrency })
    return { jobs: collected.map((each) => documentOf(each)) }
  } finally {
    progress?.stop()
  }
}

/** Writes what a job has printed, byte for byte: of one that runs, so far. @throws UsageError, Failure */
export async function writeLog(input: JobInput, to: Writable, deps: Deps): Promise<void> {
  const { reach, limits } = await within(input, deps)
  await printLog((await collect(input.id, reach, limits)).job, to, reach, deps.signal)
}

/** Starts a job on the machine that is named, else on the best that takes it. @throws UsageError, NoSuitableNode */
export async function startJob(input: StartJobInput, deps: Deps): Promise<StartJobResult> {
  const { reach } = await within(input, deps)
  const { job, started, reason } = await startSomewhere(input, deps, reach)
  return { ...documentOf({ job, ...(reason === undefined ? {} : { silent: reason }) }), started }
}

async function startSomewhere(input: StartJobInput, deps: Deps, reach: Reach): Promise<Started> {
  const { id, target } = input
  const { signal } = deps
  const { work } = await readJob(id)
  if (target !== undefined) return await startOn(id, await targetOf(input, deps, target), reach, { signal })
  const choice = await placesFor(input, deps, work.cpu)
  const refused: string[] = []
  for (const { host } of choice.places) {
    const started = await startOn(id, host, reach, { signal, settled: true })
    if (started.started || started.job.now.state !== 'queued') return started
    refused.push(`${host.name}: ${started.reason ?? ''}`)
  }
  throw new NoSuitableNode(nowhere(choice, refused))
}

/** Ends a job, wherever it is. @throws UsageError; Failure when its machine can't be asked */
export async function cancelJob(input: CancelJobInput, deps: Deps): Promise<JobDocument> {
  const { reach, limits } = await within(input, deps)
  return documentOf({ job: await cancel(input.id, input.giveUp ?? false, reach, limits) })
}

/** Queues a job again that is over. @throws UsageError */
export async function retryJob({ id }: JobInput): Promise<JobDocument> {
  return documentOf({ job: await retry(id) })
}

/** Removes a job that is over, with its log. @throws UsageError */
export async function forgetJob({ id }: JobInput): Promise<ForgetJobResult> {
  await readJob(id)
  await forget(id)
  return { id, forgotten: true }
}

/** How the machines are reached where jobs are, within the time of the input each. */
async function within(
  input: Pick<MeshInput, 'timeoutSeconds'>,
  { signal }: Deps,
): Promise<{ reach: Reach; limits: Limits }> {
  const timeoutMs = timeoutMsOf(input)
  const reach = { connections: await Connections.open(), connectMs: timeoutMs }
  return { reach, limits: { timeoutMs, signal } }
}

/** A job as documents have it. */
function documentOf({ job, silent }: Collected): JobDocument {
  const { id, name, work, queuedAt, attempt, now } = job
  const node = 'host' in now ? now.host.name : 'node' in now ? now.node : undefined
  const { state, host: _, node: __, ...details } = { host: undefined, node: undefined, ...now }
  return {
    id,
    ...(name === undefined ? {} : { name }),
    command: work.argv,
    state,
    ...(node === undefined ? {} : { node }),
    ...details,
    ...(silent === undefined ? {} : { silent }),
    attempt,
    queuedAt,
    cpu: work.cpu,
    returns: work.returns,
    folder: work.folder,
  }
}
