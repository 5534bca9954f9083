import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { createHash, randomBytes } from 'node:crypto'
import { run } from './command.ts'
import { parseStat } from './proc-stat.ts'

export type Lock = { release: () => Promise<void> }

const ATTEMPTS = 5
const PS_MS = 2000

/**
 * A lock that one process at a time holds, or undefined while another one has it. macOS has no flock(1) and Node no
 * flock(2): it is a file that says who holds it, by PID and the time of its start. A file whose process is gone, by
 * whatever it was ended, is no lock: it is replaced.
 *
 * @param file in a folder of this user's alone
 * @throws the file system's own error
 */
export async function takeLock(file: string): Promise<Lock | undefined> {
  const own = `${process.pid} ${await startOf(process.pid)} ${randomBytes(6).toString('hex')}\n`
  const part = `${file}.${randomBytes(6).toString('hex')}`
  await writeFile(part, own, { flag: 'wx', mode: 0o600 })
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      // Unlike a file that is made and then written to, a link is there with all its text or not at all.
      if (await made(link(part, file))) return { release: () => removeIf(file, own) }
      const holder = await textOf(file)
      if (holder === undefined) continue
      if ((await isHeld(holder)) || !(await removeDead(file, holder))) return undefined
    }
    return undefined
  } finally {
    await rm(part, { force: true })
  }
}

/**
 * Removes what a dead process has left, which its text names and no other. Only who holds the lock for that may: else
 * one that has looked and another that has looked and replaced it would both have the lock.
 *
 * @returns false while another process is about it
 */
async function removeDead(file: string, holder: string): Promise<boolean> {
  const lock = await takeLock(`${file}.${createHash('sha256').update(holder).digest('hex').slice(0, 12)}`)
  if (lock === undefined) return false
  try {
    await removeIf(file, holder)
  } finally {
    await lock.release()
  }
  return true
}

async function removeIf(file: string, text: string): Promise<void> {
  if ((await textOf(file)) === text) await rm(file, { force: true })
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}

async function made(linking: Promise<void>): Promise<boolean> {
  try {
    await linking
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

async function isHeld(holder: string): Promise<boolean> {
  const match = /^(\d{1,10}) (.+) [0-9a-f]+\n$/.exec(holder)
  return match !== null && (await startOf(Number(match[1]))) === match[2]
}

/** When a process was started, in whatever unit its system has; undefined when there is none of that number. */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = parseStat(pid, (await textOf(`/proc/${pid}/stat`)) ?? '')
    // One that has ended keeps its number until its parent, or a container's first process, takes notice.
    return stat?.state === 'Z' ? undefined : stat?.startTicks.toString()
  }
  const command = { file: 'ps', args: ['-o', 'lstart=', '-p', String(pid)], env: { LC_ALL: 'C', TZ: 'UTC' } }
  const { stdout } = await run(command, { timeoutMs: PS_MS, signal: new AbortController().signal })
  return stdout.trim() || undefined
}
