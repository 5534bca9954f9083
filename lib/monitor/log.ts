import { open, type FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileFailure } from './file-failure.ts'

/** How long a line of another writer may take to be there whole. */
const SETTLE_MS = 50

/**
 * Appends a line to a log by one write(2) in append mode, which the kernel does not mix with another writer's.
 * A line that a crash or a full disk has cut short is left as it is; the new one begins below it. (Two writers that
 * find one at the same time leave an empty line.)
 *
 * @param settle what is waited for before a line without an end is taken for one that was cut short
 * @throws Failure that names the file
 */
export async function appendLine(
  file: string,
  line: string,
  settle: () => Promise<unknown> = async () => await sleep(SETTLE_MS),
): Promise<void> {
  try {
    const handle = await open(file, 'a+', 0o644)
    try {
      const bytes = Buffer.from(`${(await isCutShort(handle, settle)) ? '\n' : ''}${line}\n`)
      const { bytesWritten } = await handle.write(bytes)
      if (bytesWritten < bytes.length) throw new Error('no space left for the whole line')
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw fileFailure('--log', file, error)
  }
}

/** Looks twice: what another writer is just about to finish is not cut short. */
async function isCutShort(handle: FileHandle, settle: () => Promise<unknown>): Promise<boolean> {
  if (await endsInLine(handle)) return false
  await settle()
  return !(await endsInLine(handle))
}

async function endsInLine(handle: FileHandle): Promise<boolean> {
  const stat = await handle.stat()
  if (!stat.isFile() || stat.size === 0) return true
  const last = Buffer.alloc(1)
  await handle.read(last, 0, 1, stat.size - 1)
  return last.toString() === '\n'
}
