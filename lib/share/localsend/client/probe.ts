import { Interrupted } from '../../../base/errors.ts'
import { messageOf } from '../../../base/text.ts'
import { connect, PinnedAgent, type Endpoint } from './connection.ts'
import { ownInfo } from '../device.ts'
import { exchange, type Answer } from './exchange.ts'
import { PeerFailure } from '../failures.ts'
import type { Identity } from '../identity.ts'
import { Info, PORT } from '../schema.ts'
import type { Trust } from '../trust.ts'

/** A peer that answers: over TLS it is known by its certificate, over HTTP by nothing. */
export type Peer = Endpoint & { info: Info }

export type ProbeOptions = {
  identity: Identity
  timeoutMs: number
  signal: AbortSignal
  /** Speak HTTP with a peer that speaks no TLS. */
  insecureHttp: boolean
  /** Is asked before anything is written to the peer. */
  trust?: Trust
}

/**
 * Asks whether LocalSend listens at an address, and who it is.
 *
 * @throws PeerFailure when not, or when it announces another certificate than it shows; the signal's reason
 */
export async function probe(
  at: { name: string; address: string; port: number },
  options: ProbeOptions,
): Promise<Peer> {
  try {
    return await ask({ ...at, protocol: 'https' }, options)
  } catch (error) {
    if (!speaksNoTls(error)) throw error
    if (await options.trust?.isKnown())
      throw new PeerFailure(
        'changed',
        `${at.name} has spoken TLS before and does not now: nothing was sent; if LocalSend was set up anew there, say --trust-new`,
        { cause: error },
      )
    if (options.insecureHttp) return await ask({ ...at, protocol: 'http' }, options)
    const message = `${at.name} speaks no TLS at port ${at.port}: --insecure-http sends without`
    throw new PeerFailure('foreign', message, { cause: error })
  }
}

/** Whether somebody answered, but not with a handshake. */
function speaksNoTls(error: unknown): boolean {
  const cause = error instanceof PeerFailure && error.trouble === 'unreachable' ? error.cause : undefined
  if (!(cause instanceof Error) || !('code' in cause)) return false
  return cause.code === 'EPROTO' || cause.code === 'ECONNRESET' || String(cause.code).startsWith('ERR_SSL')
}

async function ask(endpoint: Endpoint, { identity, timeoutMs, signal, trust }: ProbeOptions): Promise<Peer> {
  const { socket, fingerprint } = await connect(endpoint, identity, timeoutMs, signal)
  socket.destroy()
  if (fingerprint !== undefined) await trust?.check(fingerprint)
  const pinned = { ...endpoint, ...(fingerprint === undefined ? {} : { fingerprint }) }
  const agent = new PinnedAgent(pinned, identity, timeoutMs, signal)
  try {
    const info = Info.parse((await introduce(pinned, agent, identity, timeoutMs, signal)).body)
    if (
      fingerprint !== undefined &&
      info.fingerprint !== '' &&
      info.fingerprint.toUpperCase() !== fingerprint
    )
      throw new PeerFailure('changed', `${endpoint.name} announces another certificate than it shows`)
    if (fingerprint !== undefined) await trust?.remember(fingerprint)
    return { ...pinned, info }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof PeerFailure || error instanceof Interrupted) throw error
    const what = `something answers at port ${endpoint.port} of ${endpoint.name}, but not as LocalSend does`
    throw new PeerFailure('foreign', `${what}: ${messageOf(error)}`, { cause: error })
  } finally {
    agent.destroy()
  }
}

/** By `register`; apps that do not know it have `info`. */
async function introduce(
  endpoint: Endpoint,
  agent: PinnedAgent,
  identity: Identity,
  silenceMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const json = ownInfo(identity.fingerprint, endpoint.protocol, PORT)
  const within = AbortSignal.any([signal, AbortSignal.timeout(silenceMs)])
  const register = { method: 'POST', path: 'register', body: { json }, silenceMs } as const
  const answer = await exchange(agent, endpoint, register, within)
  if (answer.status === 200 && Info.safeParse(answer.body).success) return answer
  const info = await exchange(agent, endpoint, { method: 'GET', path: 'info', silenceMs }, within)
  if (info.status === 200) return info
  throw new Error(`it answered ${answer.status}`)
}
