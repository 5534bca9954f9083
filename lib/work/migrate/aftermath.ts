import { setTimeout as sleep } from 'node:timers/promises'
import type { Limits } from '../../base/command.ts'
import type { Reach } from '../../mesh/remote/host.ts'
import { tell } from '../../mesh/remote/run.ts'
import type { MigrationPlan } from './plan.ts'

/** What has become of a copy a moment after it was continued. */
export type Aftermath = 'running' | 'stopped' | 'ended' | 'unknown'

const MOMENT_MS = 1000
const LOOK_MS = 15_000

const LOOK = `
stat=$(cat "/proc/$PID/stat" 2>/dev/null) || { echo ended; exit; }
stat=\${stat##*') '}
case \${stat%% *} in Z | X) echo ended ;; T) echo stopped ;; *) echo running ;; esac`

/**
 * Looks, a second after a copy was continued, whether it runs: a program that can't bear a wait that ended early has
 * ended by then. @throws the signal's reason
 */
export async function aftermath(
  { target, process }: Pick<MigrationPlan, 'target' | 'process'>,
  reach: Reach,
  signal: Limits['signal'],
): Promise<Aftermath> {
  await sleep(MOMENT_MS, undefined, { signal }).catch(() => undefined)
  const task = { body: LOOK, values: { PID: String(process.pid) }, as: 'root-if-possible' } as const
  const said = await tell(target, task, reach, { timeoutMs: LOOK_MS, signal })
  const word = said.known ? said.output.trim() : ''
  return word === 'running' || word === 'stopped' || word === 'ended' ? word : 'unknown'
}
