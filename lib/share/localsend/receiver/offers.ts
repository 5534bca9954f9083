import { statfs } from 'node:fs/promises'
import type { Callers } from './addresses.ts'
import type { ReceiverEvent } from './events.ts'
import type { ReceiverLimits } from './limits.ts'
import type { Pins } from './pins.ts'
import { jsonOf, Rejected, type Asked, type Reply } from './request.ts'
import { Info, PrepareUpload, type OfferedFile } from '../schema.ts'
import { isIdle, type Session, type Sessions } from './sessions.ts'

/** What somebody wants to send. Its texts are the sender's own. */
export type Offer = {
  from: string
  address: string
  /** Of the certificate that the sender showed, if it did. */
  fingerprint?: string
  files: { name: string; bytes: number }[]
  bytes: number
}

/**
 * Says where the files of an offer go.
 *
 * @param gone aborted when the sender wants it no more
 * @returns the real path of a folder; undefined when the offer is declined
 */
export type Decide = (offer: Offer, gone: AbortSignal) => Promise<string | undefined>

export type OffersOptions = {
  decide: Decide
  limits: ReceiverLimits
  sessions: Sessions
  pins: Pins
  callers: Callers
  pinSet: boolean
  tell: (event: ReceiverEvent) => void
}

/** Where offers are decided: who may send, and what fits. */
export class Offers {
  readonly #options: OffersOptions
  #deciding = false
  #undecided: { address: string; withdraw: () => void } | undefined

  constructor(options: OffersOptions) {
    this.#options = options
  }

  /** Somebody introduces themselves. @throws Rejected */
  async register(asked: Asked): Promise<void> {
    const info = Info.safeParse(await jsonOf(asked, this.#options.limits)).data
    if (info === undefined) throw new Rejected(400, 'no introduction')
    checkFingerprint(asked, info)
  }

  /** @throws Rejected */
  async prepare(asked: Asked): Promise<Reply> {
    const { address, fingerprint } = asked
    this.#checkPin(asked)
    const { info, files } = await this.#read(asked)
    const sender = { from: info.alias, address }
    const [first] = files.values()
    if (files.size === 1 && first?.preview && first.fileType.startsWith('text')) {
      this.#options.tell({ event: 'message', ...sender, text: first.preview })
      return { status: 204 }
    }
    if (this.#deciding) throw new Rejected(409, 'busy with another session')
    this.#deciding = true
    try {
      await this.#makeWay(address)
      const known = fingerprint === undefined ? {} : { fingerprint }
      const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0)
      const listed = [...files.values()].map((file) => ({ name: file.fileName, bytes: file.size }))
      const root = await this.#decide({ ...sender, ...known, files: listed, bytes }, asked)
      await this.#checkRoom(root, bytes)
      const session = this.#options.sessions.begin({ address, alias: info.alias, root, ...known }, files)
      this.#options.tell({ event: 'offered', ...sender, files: files.size, bytes })
      return { status: 200, body: { sessionId: session.id, files: tokens(session) } }
    } finally {
      this.#deciding = false
    }
  }

  /** Somebody no longer wants what they have offered and nobody has decided yet. */
  withdraw(address: string): void {
    if (this.#undecided?.address === address) this.#undecided.withdraw()
  }

  /** Ends a session that nobody uses any more, or that is cancelled. */
  async end(session: Session): Promise<void> {
    const ended = await this.#options.sessions.end(session)
    if (!ended) return
    const states = [...session.entries.values()].map(({ state }) => state)
    const stored = states.filter((state) => state === 'stored').length
    this.#options.tell({
      event: 'over',
      from: session.alias,
      address: session.address,
      stored,
      missing: states.length - stored,
    })
  }

  #checkPin({ address, query }: Asked): void {
    const { callers, pins, pinSet } = this.#options
    if (!pinSet && callers.classOf(address) !== 'own')
      throw new Rejected(403, 'this receiver has no PIN, which other networks need')
    const outcome = pins.check(address, query.get('pin'))
    if (outcome === 'locked') throw new Rejected(429, 'too many wrong PINs')
    if (outcome === 'wrong') throw new Rejected(401, 'a PIN is needed')
  }

  async #read(asked: Asked): Promise<{ info: Info; files: Map<string, OfferedFile> }> {
    const { limits } = this.#options
    const offer = PrepareUpload.safeParse(await jsonOf(asked, limits)).data
    if (offer === undefined) throw new Rejected(400, 'no offer of files')
    checkFingerprint(asked, offer.info)
    const files = new Map(Object.entries(offer.files))
    if (files.size === 0) throw new Rejected(400, 'no files')
    if (files.size > limits.files) throw new Rejected(413, `more than ${limits.files} files`)
    return { info: offer.info, files }
  }

  /** The folder that an offer goes to. A sender whose connection ends has withdrawn it. @throws Rejected */
  async #decide(offer: Offer, { message: { socket } }: Asked): Promise<string> {
    const gone = new AbortController()
    const withdraw = () => gone.abort()
    socket.once('close', withdraw)
    if (socket.destroyed) withdraw()
    this.#undecided = { address: offer.address, withdraw }
    try {
      const root = await this.#options.decide(offer, gone.signal)
      if (root === undefined || gone.signal.aborted) throw new Rejected(403, 'it was declined')
      return root
    } finally {
      socket.off('close', withdraw)
      this.#undecided = undefined
    }
  }

  async #makeWay(address: string): Promise<void> {
    const { sessions, limits } = this.#options
    const { current } = sessions
    if (current === undefined) return
    const patienceMs = current.address === address ? limits.anewMs : limits.idleMs
    if (!isIdle(current, patienceMs)) throw new Rejected(409, 'busy with another session')
    await this.end(current)
  }

  async #checkRoom(root: string, bytes: number): Promise<void> {
    const { limits } = this.#options
    const { bavail, bsize } = await statfs(root)
    const free = bavail * bsize - limits.spareBytes
    if (bytes > limits.bytes || bytes > free) throw new Rejected(403, 'there is not enough room on the disk')
  }
}

/** Who shows a certificate is believed to be nobody else; several senders have none. */
function checkFingerprint({ fingerprint }: Asked, info: Info): void {
  if (fingerprint !== undefined && info.fingerprint.toUpperCase() !== fingerprint)
    throw new Rejected(403, 'the fingerprint is not that of the certificate')
}

function tokens({ entries }: Session): Record<string, string> {
  return Object.fromEntries([...entries].map(([id, { token }]) => [id, token]))
}
