import pMap from 'p-map'
import type { Limits } from '../lib/command.ts'
import { NoSuitableNode } from '../lib/errors.ts'
import type { Reach } from '../lib/host/host.ts'
import { collect, type Collected } from '../lib/jobs/collect.ts'
import { readJob, readJobs } from '../lib/jobs/spool.ts'
import { startJob, type Started } from '../lib/jobs/start.ts'
import { Connections } from '../lib/mesh/connections.ts'
import { progress } from '../lib/show/progress.ts'
import type { meshOptions } from './mesh-options.ts'
import { countOf, timeoutMs } from './numbers.ts'
import type { Context } from './recipe.ts'
import { nowhere, placesFor, targetOf } from './work.ts'

type JobsContext = Pick<
  Context<typeof meshOptions & { target: { type: 'string' } }>,
  'values' | 'signal' | 'note'
>

/** How the machines are reached where jobs are, within `--timeout` each. */
export async function jobsReach({ values, signal }: JobsContext): Promise<{ reach: Reach; limits: Limits }> {
  const each = timeoutMs(values.timeout)
  const reach = { connections: await Connections.open(), connectMs: each }
  return { reach, limits: { timeoutMs: each, signal } }
}

/** All jobs, as their machines say that they are now. */
export async function collectAll(
  reach: Reach,
  limits: Limits,
  { values }: JobsContext,
): Promise<Collected[]> {
  const jobs = await readJobs()
  const fanout = countOf('--fanout', values.fanout ?? '64', { least: 1, most: 1024 })
  const spinner = await progress(process.stderr, 'asking where they run', jobs.length > 0 && !values.quiet)
  try {
    return await pMap(jobs, async ({ id }) => await collect(id, reach, limits), { concurrency: fanout })
  } finally {
    spinner.stop()
  }
}

/** Starts a job on the machine that `--target` names, else on the best that takes it. @throws Failure */
export async function startSomewhere(id: string, reach: Reach, context: JobsContext): Promise<Started> {
  const { values, signal } = context
  const { work } = await readJob(id)
  if (values.target !== undefined)
    return await startJob(id, await targetOf(context, values.target), reach, { signal })
  const choice = await placesFor(context, work.cpu)
  const refused: string[] = []
  for (const { host } of choice.places) {
    const started = await startJob(id, host, reach, { signal, settled: true })
    if (started.started || started.job.now.state !== 'queued') return started
    refused.push(`${host.name}: ${started.reason ?? ''}`)
  }
  throw new NoSuitableNode(nowhere(choice, refused))
}

/** A job as `--json` prints it. */
export function jobJson({ job, silent }: Collected) {
  const { id, name, work, queuedAt, attempt, now } = job
  const { state, ...details } = now
  const node = 'host' in now ? now.host.name : 'node' in now ? now.node : undefined
  const known = Object.entries(details).filter(([key]) => key !== 'host' && key !== 'node')
  return {
    id,
    name,
    command: work.argv,
    state,
    node,
    ...Object.fromEntries(known),
    silent,
    attempt,
    queuedAt,
    cpu: work.cpu,
    returns: work.returns,
    folder: work.folder,
  }
}
