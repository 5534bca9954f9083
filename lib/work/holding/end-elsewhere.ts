import { Failure } from '../../base/errors.ts'
import { shellText } from '../../base/shell-text.ts'
import { lastLine } from '../../base/text.ts'
import type { Ending } from '../../machine/kill.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { tell } from '../../mesh/remote/run.ts'

const FUNCTIONS = shellText(import.meta.dirname, 'end-elsewhere.sh')
const ENDINGS: readonly Ending[] = ['ended', 'killed', 'still there']
/** Beside the time that the process gets: to reach the machine, and to look whether it has ended. */
const MORE_MS = 20_000

/**
 * Ends a process of another machine, kindly first; a later process with its PID is never touched.
 *
 * @throws Failure where it can't be signalled, or nobody knows; the signal's reason
 */
export async function endThere(
  host: Host,
  { pid, start }: { pid: number; start: string },
  graceSeconds: number,
  reach: Reach,
  signal: AbortSignal,
): Promise<Ending> {
  const values = { PID: String(pid), START: start, GRACE: String(Math.ceil(graceSeconds)) }
  const limits = { timeoutMs: graceSeconds * 1000 + MORE_MS, signal }
  const said = await tell(host, { body: `${FUNCTIONS}\nend`, values, as: 'self' }, reach, limits)
  if (!said.known) throw new Failure(`${host.name}: ${said.reason}`)
  const line = lastLine(said.output, 160) ?? ''
  const ending = ENDINGS.find((each) => each === line)
  if (said.status !== 0 || ending === undefined)
    throw new Failure(`${host.name}: PID ${pid} can't be ended: ${line || `status ${said.status}`}`)
  return ending
}
