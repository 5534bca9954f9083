import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure } from '../../../base/errors.ts'
import { messageOf } from '../../../base/text.ts'
import { PinnedAgent } from '../client/connection.ts'
import { exchange, saidIn } from '../client/exchange.ts'
import type { Peer } from '../client/probe.ts'
import { PeerFailure } from '../failures.ts'
import type { Identity } from '../identity.ts'
import { Arrived, THROUGHPUT_PATH } from '../receiver/throughput.ts'
import { lossBetween, segmentsOf } from './segments.ts'

export type MeasureOptions = { identity: Identity; signal: AbortSignal }

export type Flood = {
  /** Connections at the same time. */
  streams: number
  /** How much is written at a time. */
  chunkBytes: number
  /** In all, over all connections. */
  bytes: number
  /** What is not sent by then is left out. */
  mostSeconds: number
}

export type Measured = {
  /** That the other side has counted. */
  bytes: number
  seconds: number
  /** Share of segments that this machine's kernel had to send again; absent where it does not tell. */
  lossRate?: number
  /** Of a request beside the flood: the middle one of those that were answered. */
  rttMs: number
}

const CONNECT_MS = 10_000
const SILENCE_MS = 20_000

/**
 * How long a request to a peer and its answer take over a connection that is there, in milliseconds: the middle one.
 *
 * @throws PeerFailure; the signal's reason
 */
export async function roundTripMs(peer: Peer, options: MeasureOptions, count = 5): Promise<number> {
  return await connected(peer, options, async (agent) => {
    await ask(agent, peer, options)
    const times: number[] = []
    while (times.length < count) times.push(await ask(agent, peer, options))
    return middle(times)
  })
}

/**
 * Whether a peer takes bytes that it throws away: receivers of this program do.
 *
 * @throws PeerFailure; the signal's reason
 */
export async function hasSink(peer: Peer, options: MeasureOptions): Promise<boolean> {
  return await connected(peer, options, async (agent) => {
    const request = { method: 'POST', path: THROUGHPUT_PATH, silenceMs: SILENCE_MS } as const
    const { status, body } = await exchange(agent, peer, request, options.signal)
    if (status === 429) throw new Failure(`${peer.name} is being measured by others: try again later`)
    return status === 200 && Arrived.safeParse(body).success
  })
}

/**
 * Sends bytes that the peer throws away, over connections that are open before the clock starts.
 *
 * @throws PeerFailure, Failure; the signal's reason
 */
export async function flood(peer: Peer, sending: Flood, options: MeasureOptions): Promise<Measured> {
  const { streams, chunkBytes, mostSeconds } = sending
  const share = Math.max(1, Math.ceil(sending.bytes / streams))
  const all = Array.from({ length: streams })
  return await connected(peer, options, async (agent) => {
    await Promise.all(all.map(async () => await ask(agent, peer, options)))
    // An answer is read before the agent has its connection back, and would open another one.
    await nextTurn()
    const before = await segmentsOf(portsOf(agent), peer.port, options.signal)
    const block = randomBytes(chunkBytes)
    const began = performance.now()
    let over = false
    const sent = Promise.all(
      all.map(async () => {
        const stream = blocks(block, share, began + mostSeconds * 1000)
        return await pour(agent, peer, stream, options)
      }),
    ).finally(() => (over = true))
    const [arrived, rttMs] = await Promise.all([sent, besides(peer, options, () => over)])
    const seconds = (performance.now() - began) / 1000
    // Connections that were opened meanwhile count from their first segment.
    const lossRate = lossBetween(before, await segmentsOf(portsOf(agent), peer.port, options.signal))
    const bytes = arrived.reduce((sum, each) => sum + each, 0)
    return { bytes, seconds, rttMs, ...(lossRate === undefined ? {} : { lossRate }) }
  })
}

/** Requests one after the other over a connection of their own, until the flood is over. */
async function besides(peer: Peer, options: MeasureOptions, over: () => boolean): Promise<number> {
  return await connected(peer, options, async (agent) => {
    let times: number[] = []
    // The first makes the connection.
    const first = await ask(agent, peer, options)
    while (!over()) times.push(await ask(agent, peer, options))
    if (times.length === 0) times = [first]
    return middle(times)
  })
}

async function pour(
  agent: PinnedAgent,
  peer: Peer,
  stream: Readable,
  { signal }: MeasureOptions,
): Promise<number> {
  const request = {
    method: 'POST',
    path: THROUGHPUT_PATH,
    headers: { 'content-type': 'application/octet-stream' },
    body: { stream },
    silenceMs: SILENCE_MS,
  } as const
  const { status, body } = await exchange(agent, peer, request, signal)
  const arrived = status === 200 ? Arrived.safeParse(body).data : undefined
  if (arrived !== undefined) return arrived.bytes
  throw new Failure(`${peer.name} takes no more measurements (${status} ${saidIn(body)}): try again later`)
}

/** The same block again and again, until so many bytes or so much time have gone. */
function blocks(block: Buffer, bytes: number, untilMs: number): Readable {
  let left = bytes
  return new Readable({
    highWaterMark: block.length,
    read() {
      if (left <= 0 || performance.now() > untilMs) {
        this.push(null)
        return
      }
      const part = left < block.length ? block.subarray(0, left) : block
      left -= part.length
      this.push(part)
    },
  })
}

/** One request that every LocalSend answers; how long it took, in milliseconds. */
async function ask(agent: PinnedAgent, peer: Peer, { signal }: MeasureOptions): Promise<number> {
  const began = performance.now()
  await exchange(agent, peer, { method: 'GET', path: 'info', silenceMs: SILENCE_MS }, signal)
  return performance.now() - began
}

async function connected<T>(
  peer: Peer,
  { identity, signal }: MeasureOptions,
  work: (agent: PinnedAgent) => Promise<T>,
): Promise<T> {
  const agent = new PinnedAgent(peer, identity, CONNECT_MS, signal)
  try {
    return await work(agent)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Failure) throw error
    throw new PeerFailure('broken', `the connection to ${peer.name} broke: ${messageOf(error)}; try again`, {
      cause: error,
    })
  } finally {
    agent.destroy()
  }
}

/** The ports at this end of the connections that an agent has. */
function portsOf({ sockets, freeSockets }: PinnedAgent): number[] {
  const all = [...Object.values(sockets), ...Object.values(freeSockets)].flatMap((each) => each ?? [])
  return all.flatMap(({ localPort }) => (localPort === undefined ? [] : [localPort]))
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) / 2)] ?? 0
}
