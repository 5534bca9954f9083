import type { Process } from '../../lib/model/process.ts'
import { tritOf } from '../../lib/model/trit.ts'
import { measureHere } from '../../lib/machine/measure-here.ts'
import { ONLY_OWN, scumProcesses } from '../../lib/machine/processes.ts'
import { WINDOW_MS } from '../bounds.ts'
import type { Deps } from '../verb.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { NodeTritInput, NodeTritResult } from './schemas.ts'

/** The trit of this machine, and the processes that keep it busy. @throws Failure when it can't be measured */
export async function nodeTrit(input: NodeTritInput, deps: Deps): Promise<NodeTritResult> {
  return (await readNode(input, deps)).document
}

/**
 * The same, and all processes.
 *
 * @param bare without looking at processes, which takes the window's time
 */
export async function readNode(
  input: NodeTritInput,
  deps: Deps,
  bare = false,
): Promise<{ document: NodeTritResult; processes: Process[] }> {
  const { windowMs = WINDOW_MS.usual } = input
  const timeoutMs = timeoutMsOf(input, 10 + windowMs / 1000)
  const answer = await measureHere(bare ? {} : { windowMs }, { timeoutMs, signal: deps.signal })
  const { load1, cpus } = answer.measurement
  const processes = answer.processes ?? []
  const busy = scumProcesses(processes)
  if (answer.onlyOwnProcesses) deps.hint(ONLY_OWN)
  const document: NodeTritResult = {
    trit: tritOf(load1, cpus),
    load1,
    cpus,
    ratio: load1 / cpus,
    scumProcesses: busy.length,
    ...(answer.onlyOwnProcesses ? { onlyOwnProcesses: true } : {}),
    processes: busy,
  }
  return { document, processes }
}
