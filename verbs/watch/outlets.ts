import { Failure } from '../../lib/base/errors.ts'
import { messageOf } from '../../lib/base/text.ts'
import type { Alert } from '../../lib/monitor/alert-run.ts'
import { appendLine } from '../../lib/monitor/log.ts'
import type { Observed } from '../../lib/monitor/metrics.ts'
import { writeTextfile } from '../../lib/monitor/textfile.ts'

/** Where a run of the monitor leaves what it saw. Paths are absolute. */
export type Outlets = {
  log?: string | undefined
  textfile?: string | undefined
  alert?: Alert | undefined
}

/** The flags of node-trit that ask for the same. */
export function outletFlags({ log, textfile, alert }: Outlets): string[] {
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
  const { runAlert } = await import('../../lib/monitor/alert-run.ts')
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
  // Loaded where there is an alert: a run from cron starts sooner without.
  const runs = async (wanted: Alert) => {
    const { runAlert } = await import('../../lib/monitor/alert-run.ts')
    await runAlert(wanted, observed, { signal })
  }
  const results = await Promise.allSettled([
    log === undefined ? undefined : appendLine(log, logLine),
    textfile === undefined ? undefined : writeTextfile(textfile, observed),
    alert === undefined ? undefined : runs(alert),
  ])
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
}
