import type { ChalkInstance } from 'chalk'
import type { JobDocument } from '../../verbs/run/schemas.ts'
import { duration } from '../base/duration.ts'
import { table, type Cell } from './table.ts'

/** A row a job, the oldest first. */
export async function jobLines(
  jobs: readonly JobDocument[],
  { colours, width, now }: { colours: ChalkInstance; width: number; now: Date },
): Promise<string[]> {
  const columns = [
    { head: 'ID' },
    { head: 'COMMAND', shrinks: true },
    { head: 'QUEUED', align: 'right', optional: 1 },
    { head: 'STATE' },
  ] as const
  const rows = jobs.map((job): Cell[] => [
    job.id,
    job.name ?? job.command.join(' '),
    `${ago(job.queuedAt, now)} ago`,
    { text: stateText(job, now), style: styleOf(job, colours), spans: true },
  ])
  return await table(columns, rows, width, colours.dim)
}

/** What is known of a job, and since when where its machine does not answer. */
export function stateText(job: JobDocument, now: Date): string {
  const { state, node = '?', exitCode = -1, reason = '', notes = [], heardAt, silent } = job
  const why = silent === undefined ? '' : `: ${silent}`
  if (state === 'sending') return `being sent to ${node}`
  if (state === 'starting') return `whether it has started on ${node} is not known${why}`
  if (state === 'running')
    return `running on ${node}${silent === undefined ? '' : `, last heard ${ago(heardAt ?? '', now)} ago`}${why}`
  if (state === 'ended') return `ended on ${node} with ${exitCode}, not all is back yet${why}`
  if (state === 'done') return [`done on ${node}: exit ${exitCode}`, ...notes].join('; ')
  if (state === 'failed') return `failed: ${reason}`
  if (state === 'lost') return `lost on ${node}: ${reason}`
  return `${state}${why}`
}

function ago(time: string, now: Date): string {
  return duration(Math.max(0, (now.getTime() - Date.parse(time)) / 1000))
}

function styleOf({ state, exitCode }: JobDocument, colours: ChalkInstance): (text: string) => string {
  if (state === 'done') return exitCode === 0 ? colours.green : colours.red
  if (state === 'failed' || state === 'lost') return colours.red
  return state === 'queued' || state === 'cancelled' ? colours.dim : colours.yellow
}
