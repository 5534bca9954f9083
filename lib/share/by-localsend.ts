import { sendFiles } from './localsend/client/client.ts'
import { ownIdentity } from './localsend/identity.ts'
import { hashed, type HashedFile } from './localsend/client/offer.ts'
import { probe } from './localsend/client/probe.ts'
import { trustIn } from './localsend/trust.ts'
import type { MeshNode } from '../mesh/node.ts'
import { stateDir } from '../base/state-dir.ts'
import type { Parcel } from './walk.ts'

export type LocalSendOptions = {
  port: number
  pin?: string
  waitMs: number
  connectMs: number
  trustNew: boolean
  insecureHttp: boolean
  signal: AbortSignal
  moved: (bytes: number) => void
  /** Told what is done at the moment. */
  doing: (what: string) => void
}

/** Its hash where it was taken. */
export type SentFile = { name: string; bytes: number; sha256?: string }

const SILENCE_MS = 20_000

/** The files of a parcel with their hashes, which are taken once, however many peers are asked. */
export class HashedParcel {
  readonly #parcel: Parcel
  #files: HashedFile[] | undefined

  constructor(parcel: Parcel) {
    this.#parcel = parcel
  }

  async files(signal: AbortSignal): Promise<HashedFile[]> {
    if (this.#files) return this.#files
    const files: HashedFile[] = []
    for (const file of this.#parcel.files) files.push(await hashed(file, signal))
    return (this.#files = files)
  }
}

/**
 * Sends a parcel to a node by LocalSend.
 *
 * @throws PeerFailure, Failure, or the signal's reason
 */
export async function sendByLocalSend(
  { name, address }: MeshNode,
  parcel: HashedParcel,
  options: LocalSendOptions,
): Promise<{ sent: SentFile[]; declined: string[]; over: 'https' | 'http' }> {
  const { port, connectMs: timeoutMs, insecureHttp, trustNew, signal, doing } = options
  const folder = await stateDir()
  const identity = await ownIdentity(folder)
  const at = { name, address, port }
  const trust = trustIn(folder, at, trustNew)
  const peer = await probe(at, { identity, timeoutMs, signal, insecureHttp, trust })
  doing('reading what is to be sent')
  const files = await parcel.files(signal)
  const sending = { ...options, identity, silenceMs: SILENCE_MS, waits: doing }
  const refused = new Set((await sendFiles(peer, files, sending)).declined)
  const sent = files.filter((file) => !refused.has(file))
  return {
    sent: sent.map(({ name: called, size: bytes, sha256 }) => ({ name: called, bytes, sha256 })),
    declined: [...refused].map(({ name: called }) => called),
    over: peer.protocol,
  }
}
