import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMissing, LabError } from './error.ts'

/** A process as it is recorded: a PID alone may name another process by the time it is read back. */
export interface ProcessRecord {
  readonly pid: number
  /** Field 22 of /proc/PID/stat: clock ticks after boot at which the process began. */
  readonly startTime: string
}

const stat = async (pid: number): Promise<{ state: string; startTime: string } | undefined> => {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the name in parentheses and may itself hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', startTime: fields[19] ?? '' }
  } catch (error) {
    if (isMissing(error) || (error instanceof Error && 'code' in error && error.code === 'ESRCH'))
      return undefined
    throw error
  }
}

export const recordProcess = async (pid: number): Promise<ProcessRecord> => {
  const found = await stat(pid)
  if (found === undefined) throw new LabError(`process ${pid} ended before it could be recorded`)
  return { pid, startTime: found.startTime }
}

/** Whether the recorded process itself, and not a later one with its PID, still runs (a zombie does not). */
export const isAlive = async (record: ProcessRecord): Promise<boolean> => {
  const found = await stat(record.pid)
  return (
    found !== undefined && found.startTime === record.startTime && found.state !== 'Z' && found.state !== 'X'
  )
}

/** Polls until the condition holds; false when it did not within the deadline. */
export const waitUntil = async (
  condition: () => Promise<boolean>,
  timeoutMs: number,
  everyMs = 25,
): Promise<boolean> => {
  const deadline = performance.now() + timeoutMs
  while (performance.now() < deadline) {
    if (await condition()) return true
    await sleep(everyMs)
  }
  return await condition()
}

/** Sends SIGKILL to exactly the recorded processes and waits until they are gone. */
export const killRecorded = async (records: readonly ProcessRecord[]): Promise<void> => {
  for (const record of records) {
    if (!(await isAlive(record))) continue
    try {
      process.kill(record.pid, 'SIGKILL')
    } catch {
      // It ended between the look and the signal, which is all that was wanted.
    }
  }
  const gone = await waitUntil(async () => {
    for (const record of records) if (await isAlive(record)) return false
    return true
  }, 10_000)
  if (!gone)
    throw new LabError(`some of the processes ${records.map((r) => r.pid).join(', ')} survive SIGKILL`)
}

/** The only child of a process, once it has one. */
export const onlyChild = async (parent: ProcessRecord, timeoutMs: number): Promise<ProcessRecord> => {
  let child: ProcessRecord | undefined
  await waitUntil(
    async () => {
      if (!(await isAlive(parent))) return true
      const path = `/proc/${parent.pid}/task/${parent.pid}/children`
      const pid = Number((await readFile(path, 'utf8').catch(() => '')).trim().split(' ')[0])
      if (pid > 0) child = await recordProcess(pid).catch(() => undefined)
      return child !== undefined
    },
    timeoutMs,
    5,
  )
  if (child === undefined) throw new LabError(`process ${parent.pid} started no child`)
  return child
}
