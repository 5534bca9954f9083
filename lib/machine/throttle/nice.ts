import { readdir } from 'node:fs/promises'
import { constants, getPriority, setPriority } from 'node:os'
import { run } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import type { LiveProcess } from '../live-processes.ts'
import { messageOf } from '../../base/text.ts'
import { keyOf, type Means } from './means.ts'

/** The lowest priority: it yields to all others, and has what they leave. No limit where they leave much. */
export const renice: Means = {
  title:
    process.platform === 'darwin'
      ? 'renice and taskpolicy -b'
      : `renice (yields to others, no fixed limit${process.getuid?.() === 0 ? '' : '; only root can undo it'})`,
  linuxOnly: false,
  limits: false,
  onlyWhenAsked: false,
  releasedBySh: true,
  missing: async () => undefined,
  plan: async ({ tree }) => {
    const priorities = tree.map((each) => [keyOf(each), String(priorityOf(each.pid))])
    return Object.fromEntries(priorities)
  },
  async apply({ tree }) {
    for (const each of tree) {
      await setAll(each, constants.priority.PRIORITY_LOW)
      if (process.platform === 'darwin') await taskpolicy('-b', each)
    }
  },
  async undo(tree, undo) {
    // A child of later has inherited the low priority: it gets what its root had.
    const home = (tree[0] && undo[keyOf(tree[0])]) ?? '0'
    for (const each of tree) {
      if (process.platform === 'darwin') await taskpolicy('-B', each)
      await setAll(each, Number(undo[keyOf(each)] ?? home))
    }
  },
}

function priorityOf(pid: number): number {
  try {
    return getPriority(pid)
  } catch {
    return 0
  }
}

/** On Linux a priority is each thread's own. */
async function setAll({ pid }: LiveProcess, priority: number): Promise<void> {
  const threads =
    process.platform === 'linux' ? await readdir(`/proc/${pid}/task`).catch(() => []) : [String(pid)]
  for (const thread of threads)
    try {
      setPriority(Number(thread), priority)
    } catch (error) {
      if (error instanceof Error && 'info' in error && /ESRCH/.test(JSON.stringify(error.info))) continue
      if (priority < constants.priority.PRIORITY_LOW && process.getuid?.() !== 0)
        throw new Failure(
          `only root can raise the priority of PID ${pid} again: sudo renice ${priority} -p ${pid}`,
        )
      throw new Failure(`the priority of PID ${pid} can't be set to ${priority}: ${messageOf(error)}`, {
        cause: error,
      })
    }
}

async function taskpolicy(flag: '-b' | '-B', { pid }: LiveProcess): Promise<void> {
  const limits = { timeoutMs: 5000, signal: new AbortController().signal }
  await run({ file: 'taskpolicy', args: [flag, '-p', String(pid)] }, limits)
}
