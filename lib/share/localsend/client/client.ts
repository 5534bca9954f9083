import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pMap from 'p-map'
import { Failure } from '../../../base/errors.ts'
import { messageOf } from '../../../base/text.ts'
import { PinnedAgent } from './connection.ts'
import { ownInfo } from '../device.ts'
import { exchange, saidIn, type Answer } from './exchange.ts'
import { PeerFailure, refusal } from '../failures.ts'
import type { Identity } from '../identity.ts'
import { mediaType, type HashedFile } from './offer.ts'
import type { Peer } from './probe.ts'
import { Accepted, PORT } from '../schema.ts'
import { upload } from './upload.ts'

export type SendOptions = {
  identity: Identity
  signal: AbortSignal
  pin?: string
  /** How long the other side may take to decide, or to be done with another transfer. */
  waitMs: number
  /** Without anything moving for so long, a connection is broken. */
  silenceMs: number
  connectMs: number
  /** Files that are sent at the same time: LocalSend sends each file over one connection. */
  parallel?: number
  /** How much of a file is read and written at a time. */
  chunkBytes?: number
  moved: (bytes: number) => void
  /** Told what is waited for. */
  waits?: (what: string) => void
}

/** The official app sends two files at a time. */
const PARALLEL = 2
const CANCEL_MS = 2000

/**
 * Offers the files, and sends those that are accepted.
 *
 * @returns those that the peer did not want; all others are there, whole
 * @throws PeerFailure, Failure when a file can't be read, or the signal's reason; the peer is told that it is over
 */
export async function sendFiles(
  peer: Peer,
  files: readonly HashedFile[],
  options: SendOptions,
): Promise<{ declined: HashedFile[] }> {
  const { identity, signal, connectMs } = options
  const agent = new PinnedAgent(peer, identity, connectMs, signal)
  let sessionId: string | undefined
  try {
    const byId = new Map(files.map((file) => [randomUUID(), file]))
    const accepted = await offer(peer, byId, agent, options)
    if (accepted === undefined) return { declined: [] }
    sessionId = accepted.sessionId
    const tokens = new Map(Object.entries(accepted.files))
    const wanted = [...byId].flatMap(([fileId, file]) => {
      const token = tokens.get(fileId)
      return token === undefined ? [] : [{ sessionId: accepted.sessionId, fileId, token, file }]
    })
    const stop = new AbortController()
    const limits = { ...options, agent, signal: AbortSignal.any([signal, stop.signal]) }
    const send = async (each: (typeof wanted)[number]) => upload(peer, each, limits)
    await pMap(wanted, send, { concurrency: options.parallel ?? PARALLEL }).catch((error: unknown) => {
      stop.abort(error)
      throw error
    })
    return { declined: [...byId].filter(([fileId]) => !tokens.has(fileId)).map(([, file]) => file) }
  } catch (error) {
    if (sessionId !== undefined) await cancel(peer, sessionId, identity)
    signal.throwIfAborted()
    throw error
  } finally {
    agent.destroy()
  }
}

/** The peer's answer to the offer; undefined when it says that there is nothing to transfer. */
async function offer(
  peer: Peer,
  files: ReadonlyMap<string, HashedFile>,
  agent: PinnedAgent,
  options: SendOptions,
): Promise<Accepted | undefined> {
  const { identity, pin, waitMs, waits } = options
  const until = performance.now() + waitMs
  const json = {
    info: ownInfo(identity.fingerprint, peer.protocol, PORT),
    files: Object.fromEntries([...files].map(([id, file]) => [id, described(id, file)])),
  }
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 8000)) {
    waits?.(`waiting for ${peer.name} to accept`)
    const { status, body } = await prepare(peer, json, pin, agent, options)
    if (status === 204) return undefined
    if (status === 200) {
      const accepted = Accepted.safeParse(body).data
      if (accepted === undefined) throw refusal(0, peer.name, 'it accepts without a session', false)
      return accepted
    }
    if (status !== 409 || performance.now() + pauseMs > until)
      throw refusal(status, peer.name, saidIn(body), false)
    waits?.(`${peer.name} is busy with another transfer`)
    await sleep(pauseMs, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted())
  }
}

function described(id: string, { name, size, sha256, modified }: HashedFile) {
  return {
    id,
    fileName: name,
    size,
    fileType: mediaType(name),
    sha256,
    metadata: { modified: modified.toISOString() },
  }
}

async function prepare(
  peer: Peer,
  json: unknown,
  pin: string | undefined,
  agent: PinnedAgent,
  { signal, waitMs, connectMs }: SendOptions,
): Promise<Answer> {
  const silenceMs = waitMs + connectMs
  const query = pin === undefined ? {} : { pin }
  try {
    return await exchange(
      agent,
      peer,
      { method: 'POST', path: 'prepare-upload', query, body: { json }, silenceMs },
      signal,
    )
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Failure) throw error
    throw new PeerFailure('unreachable', `${peer.name} went away before it answered: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** Tells the peer that nothing more comes; it may be gone. */
async function cancel(peer: Peer, sessionId: string, identity: Identity): Promise<void> {
  const signal = AbortSignal.timeout(CANCEL_MS)
  const agent = new PinnedAgent(peer, identity, CANCEL_MS, signal)
  const request = { method: 'POST', path: 'cancel', query: { sessionId }, silenceMs: CANCEL_MS } as const
  await exchange(agent, peer, request, signal).catch(() => undefined)
  agent.destroy()
}
