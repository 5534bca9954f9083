import { setTimeout as sleep } from 'node:timers/promises'
import { isThere, type LiveProcess } from './live-processes.ts'
import { signal } from './signals.ts'

export type Ending = 'ended' | 'killed' | 'still there'

const POLL_MS = 50
const AFTER_KILL_MS = 3000

/**
 * Asks a process to end (SIGTERM), and kills it (SIGKILL) when it has not after the grace period. One that is stopped
 * is continued, or it could not hear the question. A later process with its PID is never touched.
 */
export async function end(target: LiveProcess, graceMs: number, aborted: AbortSignal): Promise<Ending> {
  await signal(target, 'SIGTERM')
  await signal(target, 'SIGCONT')
  if (await gone(target, graceMs, aborted)) return 'ended'
  await signal(target, 'SIGKILL')
  return (await gone(target, AFTER_KILL_MS, aborted)) ? 'killed' : 'still there'
}

/** Whether this user may send a signal to a process at all. */
export function maySignal({ pid }: LiveProcess): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EPERM')
  }
}

async function gone(target: LiveProcess, withinMs: number, aborted: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + withinMs
  for (;;) {
    if (!(await isThere(target))) return true
    if (performance.now() >= deadline) return false
    await sleep(POLL_MS)
    aborted.throwIfAborted()
  }
}
