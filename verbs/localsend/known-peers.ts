import type { NegotiateResult } from './schemas.ts'

/** A peer that a list has named. What it says of itself is proved when a session is negotiated. */
export type KnownPeer = {
  id: string
  /** As messages name it. */
  name: string
  address: string
  port: number
  transport: NegotiateResult['transport']
  /** Of the certificate that it announces or has shown. */
  fingerprint?: string
}

const MOST_KNOWN = 2000

/** The peers that were listed in this process: an agent can have a session with these, and with the tailnet's. */
export class KnownPeers {
  readonly #peers = new Map<string, KnownPeer>()

  note(peer: KnownPeer): void {
    this.#peers.delete(peer.id)
    this.#peers.set(peer.id, peer)
    const [oldest] = this.#peers.keys()
    if (this.#peers.size > MOST_KNOWN && oldest !== undefined) this.#peers.delete(oldest)
  }

  get(id: string): KnownPeer | undefined {
    return this.#peers.get(id)
  }

  /** The same device as it is reached by another transport. */
  sameBy(transport: KnownPeer['transport'], fingerprint: string): KnownPeer | undefined {
    return [...this.#peers.values()].findLast(
      (peer) => peer.transport === transport && peer.fingerprint === fingerprint,
    )
  }
}

export const knownPeers = new KnownPeers()
