import { createReadStream } from 'node:fs'
import type { Agent } from 'node:http'
import { PassThrough, Transform, type Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../base/errors.ts'
import { messageOf, quoted } from '../../../base/text.ts'
import { exchange, saidIn } from './exchange.ts'
import { PeerFailure, refusal } from '../failures.ts'
import { CHUNK_BYTES, mediaType, type HashedFile } from './offer.ts'
import type { Peer } from './probe.ts'

/** One file of an accepted offer. */
export type Upload = { sessionId: string; fileId: string; token: string; file: HashedFile }

export type UploadOptions = {
  agent: Agent
  signal: AbortSignal
  silenceMs: number
  /** How much of the file is read and written at a time. */
  chunkBytes?: number
  /** Told how many bytes were sent; a negative number takes back what was sent for nothing. */
  moved: (bytes: number) => void
}

/** In all: the receiver takes a token no more often. */
const ATTEMPTS = 3
const PAUSES_MS = [300, 1500]

/**
 * Sends one file, again after a broken connection and where it did not arrive as it is.
 *
 * @throws PeerFailure when it does not arrive; Failure when it can't be read; the signal's reason
 */
export async function upload(peer: Peer, wanted: Upload, options: UploadOptions): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const failure = await attemptTo(peer, wanted, options)
    if (failure === undefined) return
    options.signal.throwIfAborted()
    if (attempt + 1 === ATTEMPTS || !['broken', 'damaged'].includes(failure.trouble)) throw failure
    await sleep(PAUSES_MS[attempt] ?? 0, undefined, { signal: options.signal }).catch(() => {
      options.signal.throwIfAborted()
    })
  }
}

/** Undefined when it is there. */
async function attemptTo(
  peer: Peer,
  { sessionId, fileId, token, file }: Upload,
  { agent, signal, silenceMs, chunkBytes = CHUNK_BYTES, moved }: UploadOptions,
): Promise<PeerFailure | undefined> {
  let bytes = 0
  let local: Failure | undefined
  const counted = source(file, chunkBytes, (more) => {
    bytes += more
    moved(more)
  })
  counted.once('error', (error) => {
    if (error instanceof Failure) local = error
  })
  try {
    const { status, body } = await exchange(
      agent,
      peer,
      {
        method: 'POST',
        path: 'upload',
        query: { sessionId, fileId, token },
        headers: { 'content-type': mediaType(file.name), 'content-length': file.size },
        body: { stream: counted },
        silenceMs,
      },
      signal,
    )
    if (status >= 200 && status < 300) return undefined
    moved(-bytes)
    const options = { accepted: true }
    if (status === 422)
      return new PeerFailure('damaged', `${quoted(file.name)} did not reach ${peer.name} as it is`, options)
    return refusal(status, peer.name, saidIn(body), true)
  } catch (error) {
    signal.throwIfAborted()
    if (local !== undefined) throw local
    moved(-bytes)
    if (error instanceof PeerFailure && error.trouble === 'changed') throw error
    return new PeerFailure(
      'broken',
      `the connection to ${peer.name} broke while ${quoted(file.name)} was sent: ${messageOf(error)}`,
      { cause: error, accepted: true },
    )
  }
}

/** The file's bytes, just as many as were offered: one that has changed meanwhile is an error, not another file. */
function source(file: HashedFile, chunkBytes: number, counted: (bytes: number) => void): Readable {
  const empty = new PassThrough()
  if (file.size === 0) return empty.end()
  let left = file.size
  const changed = () => new Failure(`${quoted(file.path)} changed while it was sent: send it again`)
  const stream = createReadStream(file.path, { highWaterMark: chunkBytes })
  const counter = new Transform({
    highWaterMark: chunkBytes,
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length
      counted(chunk.length)
      done(left < 0 ? changed() : null, chunk)
    },
    flush: (done) => done(left > 0 ? changed() : null),
  })
  stream.once('error', (error) => {
    counter.destroy(new Failure(`${quoted(file.path)} can't be read: ${messageOf(error)}`, { cause: error }))
  })
  counter.once('close', () => stream.destroy())
  return stream.pipe(counter)
}
