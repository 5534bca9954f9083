import { resolve } from 'node:path'
import type { ParseArgsConfig } from 'node:util'
import { Failure, UsageError } from '../lib/errors.ts'
import { runAlert, type Alert } from '../lib/monitor/alert-run.ts'
import { appendLine } from '../lib/monitor/log.ts'
import type { Observed } from '../lib/monitor/metrics.ts'
import { writeTextfile } from '../lib/monitor/textfile.ts'
import { messageOf, quoted } from '../lib/text.ts'
import { countOf } from './numbers.ts'

/** Where a run of the monitor leaves what it saw. */
export type Outlets = { log?: string; textfile?: string; alert?: Alert }

export const outletOptions = {
  log: { type: 'string' },
  textfile: { type: 'string' },
  alert: { type: 'string' },
  for: { type: 'string' },
} as const satisfies ParseArgsConfig['options']

/** What the person asked for, with whole paths. @throws UsageError that names the flag */
export function outletsOf(values: { [K in keyof typeof outletOptions]?: string }): Outlets {
  const { log, textfile, alert } = values
  for (const [flag, value] of Object.entries({ log, textfile, alert }))
    if (value?.trim() === '') throw new UsageError(`--${flag} needs a value`)
  if (textfile !== undefined && !/[^/]\.prom$/.test(textfile))
    throw new UsageError(
      `--textfile takes a file that ends in .prom, which node_exporter reads, not ${quoted(textfile)}`,
    )
  if (values.for !== undefined && alert === undefined) throw new UsageError('--for needs --alert')
  const forRuns = countOf('--for', values.for ?? '3', { least: 1, most: 10_000, unit: 'runs' })
  return {
    ...(log === undefined ? {} : { log: resolve(log) }),
    ...(textfile === undefined ? {} : { textfile: resolve(textfile) }),
    ...(alert === undefined ? {} : { alert: { command: alert, forRuns } }),
  }
}

/** The arguments that ask node-trit for the same. */
export function outletArgs({ log, textfile, alert }: Outlets): string[] {
  return [
    ...(log === undefined ? [] : [`--log=${log}`]),
    ...(textfile === undefined ? [] : [`--textfile=${textfile}`]),
    ...(alert === undefined ? [] : [`--alert=${alert.command}`, `--for=${alert.forRuns}`]),
  ]
}

/** A run without a measurement counts for the alert too. Returns what was thrown. */
export async function countUnmeasured(
  { alert }: Outlets,
  error: unknown,
  signal: AbortSignal,
): Promise<unknown[]> {
  if (alert === undefined || !(error instanceof Failure) || signal.aborted) return []
  return await runAlert(alert, { reason: messageOf(error) }, { signal }).then(
    () => [],
    (thrown: unknown) => [thrown],
  )
}

/** Leaves it everywhere; one outlet that fails keeps no other from being served. Returns what was thrown. */
export async function deliver(
  { log, textfile, alert }: Outlets,
  observed: Observed & { load1: number; cpus: number },
  logLine: string,
  signal: AbortSignal,
): Promise<unknown[]> {
  const results = await Promise.allSettled([
    log === undefined ? undefined : appendLine(log, logLine),
    textfile === undefined ? undefined : writeTextfile(textfile, observed),
    alert === undefined ? undefined : runAlert(alert, observed, { signal }),
  ])
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
}
