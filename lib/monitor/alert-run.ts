import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { run } from '../base/command.ts'
import { Failure } from '../base/errors.ts'
import { writeAtomically } from '../base/atomic-file.ts'
import { takeLock } from '../base/lock.ts'
import { stateDir } from '../base/state-dir.ts'
import { messageOf, plain, quoted } from '../base/text.ts'
import { signed, type Trit } from '../model/trit.ts'
import { afterTelling, CALM, counted, due, type AlertEvent, type AlertState } from './alert.ts'

/** A command line of the person's own, and how many runs in a row it takes. */
export type Alert = { command: string; forRuns: number }
export type Load = { trit: Trit; load1: number; cpus: number; ratio: number }
/** Why there is no measurement. */
export type Unmeasured = { reason: string }

/** How long a command may take to tell. */
export const ALERT_MS = 30_000

const State = z.object({
  told: z.enum(['overloaded', 'unmeasured', 'recovered']),
  runs: z.int().nonnegative(),
})

/**
 * Counts a run for an alert, and runs its command when there is something to tell.
 *
 * The state is written before and after the command is run: one that was killed on the way is told again, rather
 * than never. Two runs at the same time saw the same load: the second is not counted.
 *
 * @throws Failure when the command fails, and the next run tries again, or when the state can't be kept
 */
export async function runAlert(
  alert: Alert,
  seen: Load | Unmeasured,
  { signal, timeoutMs = ALERT_MS }: { signal: AbortSignal; timeoutMs?: number },
): Promise<void> {
  const key = createHash('sha256').update(alert.command).digest('hex').slice(0, 16)
  const file = join(await stateDir(), `alert-${key}.json`)
  const lock = await keeping(file, takeLock(`${file}.lock`))
  if (lock === undefined) return
  try {
    const trit = 'trit' in seen ? seen.trit : undefined
    const state = counted(await readState(file), trit)
    await keeping(file, writeAtomically(file, JSON.stringify(state), 0o600))
    const event = due(state, alert.forRuns, trit)
    if (event === undefined) return
    await tell(alert.command, event, seen, { signal, timeoutMs })
    await keeping(file, writeAtomically(file, JSON.stringify(afterTelling(event)), 0o600))
  } finally {
    await lock.release()
  }
}

/** A state that is missing or not understood is that of an alert which has told nothing yet. */
async function readState(file: string): Promise<AlertState> {
  try {
    return State.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return CALM
  }
}

async function keeping<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new Failure(`the state of --alert can't be kept in ${quoted(file)}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function tell(
  command: string,
  event: AlertEvent,
  seen: Load | Unmeasured,
  limits: { signal: AbortSignal; timeoutMs: number },
): Promise<void> {
  const { trit, load1, cpus, ratio, reason } =
    'trit' in seen
      ? { ...seen, trit: signed(seen.trit), reason: '' }
      : { trit: '', load1: '', cpus: '', ratio: '', reason: seen.reason }
  const env = {
    RESOURCE_SHARING_EVENT: event,
    RESOURCE_SHARING_TRIT: trit,
    RESOURCE_SHARING_LOAD1: String(load1),
    RESOURCE_SHARING_CPUS: String(cpus),
    RESOURCE_SHARING_RATIO: String(ratio),
    RESOURCE_SHARING_REASON: reason,
  }
  // By a shell, because it is the person's own command line; what is told comes by the environment, never as text.
  const { exitCode, timedOut, stderr } = await run({ file: '/bin/sh', args: ['-c', command], env }, limits)
  if (exitCode === 0) return
  const how = timedOut
    ? `took more than ${limits.timeoutMs / 1000} s`
    : exitCode === undefined
      ? 'was killed'
      : `failed with status ${exitCode}`
  const said = plain(stderr.trimEnd().split('\n').at(-1) ?? '')
  throw new Failure(`--alert ${quoted(command)} ${how}${said && `: ${said}`}; the next run tries again`)
}
