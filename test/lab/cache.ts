import { mkdir, readdir, rename, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { takeLock } from './lock.ts'
import { type Log, run } from './run.ts'

/** The folder of everything the lab keeps between runs, outside the repository. */
export const cacheRoot = (): string => {
  const base = process.env['XDG_CACHE_HOME']
  return join(
    base === undefined || base === '' ? join(homedir(), '.cache') : resolve(base),
    'resource-sharing-lab',
  )
}

export const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}

/** Deletes a tree but never follows it into another file system, whatever an earlier crash left mounted there. */
export const removeTree = async (path: string): Promise<void> => {
  await run(['rm', '-rf', '--one-file-system', '--', path], { timeoutMs: 120_000 })
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(0)} s`

export interface Part {
  /** Folder name in the cache; it holds the version or a hash of all that the content depends on. */
  readonly key: string
  /** What a person sees, e.g. `building tailscaled 1.102.3`. */
  readonly label: string
  /** How long it takes the first time, in words. */
  readonly expected: string
  readonly make: (folder: string) => Promise<void>
}

/**
 * The folder of a part, made first if it is not there. It is made under a temporary name and renamed when
 * complete, under a lock: a crash or a second process never leaves or sees half of it.
 */
export const provide = async (part: Part, log: Log): Promise<string> => {
  const root = cacheRoot()
  const folder = join(root, part.key)
  if (await exists(folder)) return folder
  await mkdir(root, { recursive: true, mode: 0o755 })
  const lockFile = join(root, 'locks', part.key)
  const lock = await takeLock(lockFile, 100, part.label).catch(async () => {
    log(`${part.label}: another process is at it, waiting`)
    return await takeLock(lockFile, 1_800_000, part.label)
  })
  try {
    if (await exists(folder)) return folder
    for (const entry of await readdir(root)) {
      if (entry.startsWith(`${part.key}.partial`)) await removeTree(join(root, entry))
    }
    log(`${part.label} … (about ${part.expected}, once)`)
    const started = performance.now()
    const partial = `${folder}.partial-${process.pid}`
    await mkdir(partial, { mode: 0o755 })
    await part.make(partial)
    await rename(partial, folder)
    log(`${part.label}: done in ${seconds(started)}`)
    return folder
  } finally {
    await lock.release()
  }
}
