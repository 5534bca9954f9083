import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { messageOf } from '../../../base/text.ts'
import { PeerFailure } from '../failures.ts'
import { fingerprintOf, type Identity } from '../identity.ts'

export type Endpoint = {
  /** As messages name it. */
  name: string
  address: string
  port: number
  protocol: 'https' | 'http'
  /** Of the certificate that it must have; without one, any. */
  fingerprint?: string
}

/** A TLS or plain connection, and the fingerprint of the certificate at its other end. */
export type Connected = { socket: Socket; fingerprint?: string }

/**
 * Connects, and compares the peer's certificate before anything is written: no authority has signed it, so the
 * fingerprint is all there is to know it by.
 *
 * @throws PeerFailure when nobody answers within the time, or with another certificate; the signal's reason
 */
export async function connect(
  endpoint: Endpoint,
  identity: Identity,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Connected> {
  const { name, address: host, port, protocol } = endpoint
  signal.throwIfAborted()
  const socket =
    protocol === 'http'
      ? connectTcp({ host, port })
      : connectTls({
          host,
          port,
          key: identity.key,
          cert: identity.cert,
          rejectUnauthorized: false,
          ALPNProtocols: ['http/1.1'],
          minVersion: 'TLSv1.2',
        })
  const late = AbortSignal.timeout(timeoutMs)
  try {
    await once(socket, protocol === 'http' ? 'connect' : 'secureConnect', {
      signal: AbortSignal.any([signal, late]),
    })
    socket.setNoDelay(true)
    if (!('getPeerX509Certificate' in socket)) return { socket }
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) throw new Error('it shows no certificate')
    const fingerprint = fingerprintOf(certificate)
    if (endpoint.fingerprint !== undefined && endpoint.fingerprint !== fingerprint)
      throw new PeerFailure('changed', `${name} has another certificate than a moment ago: nothing was sent`)
    return { socket, fingerprint }
  } catch (error) {
    socket.destroy()
    signal.throwIfAborted()
    if (error instanceof PeerFailure) throw error
    const why = late.aborted ? `no answer within ${(timeoutMs / 1000).toFixed(1)} s` : messageOf(error)
    throw new PeerFailure('unreachable', `${name} does not answer at port ${port}: ${why}`, { cause: error })
  }
}

/** Keeps connections to one endpoint for the next request; each is checked when it is made. */
export class PinnedAgent extends Agent {
  readonly #connect: () => Promise<Connected>

  constructor(endpoint: Endpoint, identity: Identity, timeoutMs: number, signal: AbortSignal) {
    super({ keepAlive: true })
    this.#connect = () => connect(endpoint, identity, timeoutMs, signal)
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, socket: Socket) => void,
  ): undefined {
    void this.#hand(callback)
  }

  async #hand(callback?: (error: Error | null, socket: Socket) => void): Promise<void> {
    try {
      const { socket } = await this.#connect()
      callback?.(null, socket)
    } catch (error) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- there is no socket where there is an error
      callback?.(error as Error, undefined as unknown as Socket)
    }
  }
}
