import { Failure } from '../base/errors.ts'
import { messageOf } from '../base/text.ts'
import { liveProcess, type LiveProcess } from './live-processes.ts'

/**
 * Sends a signal to this very process: not to a later one with its PID.
 *
 * @returns false when it is gone
 */
export async function signal(target: LiveProcess, name: NodeJS.Signals): Promise<boolean> {
  const now = await liveProcess(target.pid)
  if (now?.start !== target.start) return false
  try {
    process.kill(target.pid, name)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw new Failure(`PID ${target.pid} can't be signalled: ${messageOf(error)}: try as root`, {
      cause: error,
    })
  }
}

/** Continues those that are stopped, the last first: of a tree, children before their parents. */
export async function continueAll(processes: readonly LiveProcess[]): Promise<void> {
  for (const each of processes.toReversed()) if (each.stopped) await signal(each, 'SIGCONT')
}
