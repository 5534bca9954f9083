import type { ChalkInstance } from 'chalk'
import type { Collected } from '../jobs/collect.ts'
import { titleOf, type Job } from '../jobs/job.ts'
import { duration } from './duration.ts'
import { table, type Cell } from './table.ts'

/** A row a job, the oldest first. */
export function jobLines(
  jobs: readonly Collected[],
  { colours, width, now }: { colours: ChalkInstance; width: number; now: Date },
): string[] {
  const columns = [
    { head: 'ID' },
    { head: 'COMMAND', shrinks: true },
    { head: 'QUEUED', align: 'right', optional: 1 },
    { head: 'STATE' },
  ] as const
  const rows = jobs.map(({ job, silent }): Cell[] => [
    job.id,
    titleOf(job),
    `${duration(Math.max(0, (now.getTime() - Date.parse(job.queuedAt)) / 1000))} ago`,
    { text: stateText(job, silent, now), style: styleOf(job, colours), spans: true },
  ])
  return table(columns, rows, width, colours.dim)
}

/** What is known of a job, and since when where its machine does not answer. */
export function stateText({ now: at }: Job, silent: string | undefined, now: Date): string {
  const ago = (time: string) => duration(Math.max(0, (now.getTime() - Date.parse(time)) / 1000))
  const why = silent === undefined ? '' : `: ${silent}`
  if (at.state === 'sending') return `being sent to ${at.host.name}`
  if (at.state === 'starting') return `whether it has started on ${at.host.name} is not known${why}`
  if (at.state === 'running')
    return `running on ${at.host.name}${silent === undefined ? '' : `, last heard ${ago(at.heardAt)} ago`}${why}`
  if (at.state === 'ended') return `ended on ${at.host.name} with ${at.exitCode}, not all is back yet${why}`
  if (at.state === 'done') return [`done on ${at.node}: exit ${at.exitCode}`, ...at.notes].join('; ')
  if (at.state === 'failed') return `failed: ${at.reason}`
  if (at.state === 'lost') return `lost on ${at.node}: ${at.reason}`
  return `${at.state}${why}`
}

function styleOf({ now }: Job, colours: ChalkInstance): (text: string) => string {
  if (now.state === 'done') return now.exitCode === 0 ? colours.green : colours.red
  if (now.state === 'failed' || now.state === 'lost') return colours.red
  return now.state === 'queued' || now.state === 'cancelled' ? colours.dim : colours.yellow
}
