import { resolve } from 'node:path'
import type { ParseArgsConfig } from 'node:util'
import { UsageError } from '../lib/base/errors.ts'
import { quoted } from '../lib/base/text.ts'
import { ALERT_RUNS } from '../verbs/bounds.ts'
import type { Outlets } from '../verbs/watch/outlets.ts'
import { countOf } from './numbers.ts'

/** Where a run of the monitor leaves what it saw. */
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
  const forRuns = countOf('--for', values.for, ALERT_RUNS)
  return {
    log: log === undefined ? undefined : resolve(log),
    textfile: textfile === undefined ? undefined : resolve(textfile),
    alert: alert === undefined ? undefined : { command: alert, forRuns },
  }
}
