import { createHash, randomBytes } from 'node:crypto'
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { folderInside, partFile } from './folder.ts'
import { numbered, safeSegments } from './names.ts'
import { CHUNK_BYTES } from '../client/offer.ts'

export type Expected = {
  /** As the sender calls it. */
  fileName: string
  /** Bytes. */
  size: number
  /** Lower-case hex. */
  sha256?: string
  modified?: Date
  accessed?: Date
}

export type Stored = { path: string; sha256: string }
export type Outcome = ({ outcome: 'stored' } & Stored) | { outcome: 'wrong length' } | { outcome: 'damaged' }

const MOST_NUMBERED = 10_000
/** What a file system answers that has no hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/**
 * Writes what arrives to a temporary file, and gives it its name when it is whole and on the disk: under a name of its
 * own, never that of another file.
 *
 * @param root real path of the folder that it stays in
 * @throws the file system's own error or the source's; nothing is left behind
 */
export async function store(
  source: AsyncIterable<Buffer>,
  root: string,
  expected: Expected,
): Promise<Outcome> {
  const part = partFile(root, randomBytes(8).toString('hex'))
  try {
    const handle = await open(part, 'wx')
    let sha256: string | undefined
    try {
      sha256 = await write(source, handle, expected.size)
      if (sha256 === undefined) return { outcome: 'wrong length' }
      if (expected.sha256 !== undefined && expected.sha256 !== sha256) return { outcome: 'damaged' }
      await setTimes(handle, expected)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return { outcome: 'stored', path: await named(part, root, expected.fileName), sha256 }
  } finally {
    await rm(part, { force: true })
  }
}

/** The hash of what was written; undefined when it is not as long as it should be. */
async function write(
  source: AsyncIterable<Buffer>,
  handle: FileHandle,
  size: number,
): Promise<string | undefined> {
  const hash = createHash('sha256')
  let waiting: Buffer[] = []
  let bytes = 0
  let total = 0
  const flush = async () => {
    const block = waiting.length === 1 && waiting[0] ? waiting[0] : Buffer.concat(waiting, bytes)
    waiting = []
    bytes = 0
    // A disk that is almost full takes a part of it, and says so only to the next write.
    for (let at = 0; at < block.length;) at += (await handle.write(block, at)).bytesWritten
  }
  for await (const chunk of source) {
    total += chunk.length
    if (total > size) return undefined
    hash.update(chunk)
    waiting.push(chunk)
    bytes += chunk.length
    if (bytes >= CHUNK_BYTES) await flush()
  }
  await flush()
  return total === size ? hash.digest('hex') : undefined
}

async function setTimes(handle: FileHandle, { modified, accessed }: Expected): Promise<void> {
  if (modified === undefined) return
  // A file system may not know the time that another one wrote.
  await handle.utimes(accessed ?? modified, modified).catch(() => undefined)
}

async function named(part: string, root: string, fileName: string): Promise<string> {
  const segments = safeSegments(fileName)
  const name = segments.at(-1) ?? 'unnamed'
  const folder = await folderInside(root, segments.slice(0, -1))
  for (let count = 0; count < MOST_NUMBERED; count += 1) {
    const path = join(folder, numbered(name, count))
    if (await given(part, path)) {
      await syncFolder(dirname(path))
      return path
    }
  }
  throw new Error('too many files have its name')
}

/** Unlike a rename, a link takes no name that is taken. */
async function given(part: string, path: string): Promise<boolean> {
  try {
    await link(part, path)
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'EEXIST') return false
    if (!NO_LINKS.includes(code)) throw error
  }
  const taken = await lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  )
  if (!taken) await rename(part, path)
  return !taken
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch {
    // Not every file system can; the file itself is on the disk.
  } finally {
    await handle.close()
  }
}
