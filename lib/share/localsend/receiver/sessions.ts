import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { OfferedFile } from '../schema.ts'

/** One file of the session: a token lets its sender send it, as often as it has tries. */
export type Entry = {
  file: OfferedFile
  token: string
  state: 'waiting' | 'stored' | 'failed'
  tries: number
  /** Ends the upload that runs, and is settled when it has left nothing behind. */
  running?: { stop: () => void; ended: Promise<void> }
}

export type Session = {
  id: string
  address: string
  /** Of the certificate that the sender showed, if it did. */
  fingerprint?: string
  alias: string
  /** Real path of the folder that its files stay in. */
  root: string
  entries: Map<string, Entry>
  /** When an upload last began or ended, in milliseconds of `performance.now()`. */
  movedAt: number
}

/** The one session that a receiver has at a time. */
export class Sessions {
  #current: Session | undefined

  get current(): Session | undefined {
    return this.#current
  }

  begin(
    sender: Pick<Session, 'address' | 'fingerprint' | 'alias' | 'root'>,
    files: Map<string, OfferedFile>,
  ): Session {
    const entries = [...files].map(([id, file]) => {
      return [id, { file, token: secret(), state: 'waiting', tries: 0 } satisfies Entry] as const
    })
    this.#current = {
      ...sender,
      id: secret(),
      entries: new Map<string, Entry>(entries),
      movedAt: performance.now(),
    }
    return this.#current
  }

  /** The session of this id, for who may use it: only the address that it was opened from. */
  find(id: string, address: string, fingerprint: string | undefined): Session | undefined {
    const session = this.#current
    if (!session || session.address !== address || !same(session.id, id)) return undefined
    const other = session.fingerprint !== undefined && fingerprint !== undefined
    return other && session.fingerprint !== fingerprint ? undefined : session
  }

  /** Ends it; uploads that run are stopped and waited for. @returns false when it was over already */
  async end(session: Session): Promise<boolean> {
    if (this.#current !== session) return false
    this.#current = undefined
    const running = [...session.entries.values()].flatMap(({ running: each }) => (each ? [each] : []))
    for (const { stop } of running) stop()
    await Promise.all(running.map(({ ended }) => ended))
    return true
  }
}

export function isOver(session: Session): boolean {
  return [...session.entries.values()].every(({ state }) => state !== 'waiting')
}

export function isIdle(session: Session, forMs: number): boolean {
  const running = [...session.entries.values()].some((entry) => entry.running !== undefined)
  return !running && performance.now() - session.movedAt >= forMs
}

function secret(): string {
  return randomBytes(24).toString('base64url')
}

/** In a time that does not tell how much of it was right. */
export function same(known: string, given: string): boolean {
  const [a, b] = [Buffer.from(known), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
