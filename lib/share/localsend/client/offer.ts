import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { extname } from 'node:path'
import { Failure } from '../../../base/errors.ts'
import { messageOf, quoted } from '../../../base/text.ts'

/** A file to be sent. */
export type LocalFile = {
  /** Where it is. */
  path: string
  /** What it is to be called there: relative, with slashes. */
  name: string
  /** Bytes. */
  size: number
  modified: Date
}

/** With what the receiver is to find in it. */
export type HashedFile = LocalFile & { sha256: string }

/** Big enough that a file takes few turns of the event loop, small enough to be nothing in memory. */
export const CHUNK_BYTES = 128 * 1024

const TYPES: Record<string, string> = {
  '.gif': 'image/gif',
  '.heic': 'image/heic',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.mov': 'video/quicktime',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
  '.zip': 'application/zip',
}

/** Media type by the name's ending: a phone shows a picture as one. */
export function mediaType(name: string): string {
  return TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream'
}

/**
 * Reads the whole file.
 *
 * @param read told how many bytes were read
 * @throws Failure when it can't be read or is not as long as it was; the signal's reason
 */
export async function hashed(
  file: LocalFile,
  signal: AbortSignal,
  read: (bytes: number) => void = () => {},
): Promise<HashedFile> {
  const hash = createHash('sha256')
  let size = 0
  try {
    const stream = createReadStream(file.path, { highWaterMark: CHUNK_BYTES, signal })
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk)
      size += chunk.length
      read(chunk.length)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw new Failure(`${quoted(file.path)} can't be read: ${messageOf(error)}`, { cause: error })
  }
  return { ...file, size, sha256: hash.digest('hex') }
}
