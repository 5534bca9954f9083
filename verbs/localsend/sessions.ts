import { randomBytes } from 'node:crypto'
import { Failure, InputError, Interrupted } from '../../lib/base/errors.ts'
import { quoted } from '../../lib/base/text.ts'
import type { Peer } from '../../lib/share/localsend/client/probe.ts'
import { firstSetting, type Setting, type SettingLimits, type Tried } from './tuning.ts'

export type ReceivedFile = { name: string; path: string; bytes: number }

/** What one peer and this machine have with each other; without a peer, what anybody of the tailnet sends. */
export type Session = SettingLimits & {
  id: string
  peer?: Peer
  /** As tuned. */
  setting: Setting
  /** What tuning is by: the steps of the last probe that tuned, and those that were wanted since. */
  tried: Tried[]
  /** Of files that are there, or on their way. */
  bytesSent: number
  /** Of files that arrived whole. */
  bytesReceived: number
  /** The last of them. */
  received: ReceivedFile[]
  /** Of the last send or probe. */
  bytesPerSecond?: number
  /** The most that a send or a probe of this session has brought. */
  mostBytesPerSecond?: number
  /** What the last send alone brought. */
  sendBytesPerSecond?: number
  rttMs?: number
  lossRate?: number
  /** What is under way in it. */
  running: Set<Promise<unknown>>
  end: AbortController
}

const MOST_SESSIONS = 32
const MOST_RECEIVED = 20

/** The sessions of this process. They are over when it ends; the oldest idle one makes way for a new one. */
export class Sessions {
  readonly #sessions = new Map<string, Session>()

  /** @throws Failure when there are many and in each something is under way */
  open(limits: SettingLimits, peer?: Peer): Session {
    if (this.#sessions.size >= MOST_SESSIONS) this.#makeWay()
    const session: Session = {
      ...limits,
      id: randomBytes(9).toString('base64url'),
      ...(peer === undefined ? {} : { peer }),
      setting: firstSetting(limits),
      tried: [],
      bytesSent: 0,
      bytesReceived: 0,
      received: [],
      running: new Set(),
      end: new AbortController(),
    }
    this.#sessions.set(session.id, session)
    return session
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id)
  }

  /** @throws InputError when there is none of this id */
  get(id: string): Session {
    const session = this.#sessions.get(id)
    if (session) return session
    throw new InputError('session_id', `${quoted(id)} is not open: get one from localsend_negotiate`)
  }

  /** The session with its peer. @throws InputError when it is the one of who listens */
  withPeer(id: string): Session & { peer: Peer } {
    const session = this.get(id)
    if (hasPeer(session)) return session
    throw new InputError(
      'session_id',
      `${quoted(id)} is for receiving from anybody: get one for a peer from localsend_negotiate`,
    )
  }

  /** Does something in a session: it ends with the call, and with the session. @throws the reason of what ended it */
  async work<T>(
    session: Session,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const either = AbortSignal.any([signal, session.end.signal])
    either.throwIfAborted()
    const running = work(either)
    session.running.add(running)
    try {
      return await running
    } finally {
      session.running.delete(running)
    }
  }

  /** Ends a session and what is under way in it. */
  async close({ id, end, running }: Session): Promise<void> {
    this.#sessions.delete(id)
    end.abort(new Interrupted('the session was closed'))
    await Promise.allSettled(running)
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(async (session) => await this.close(session)))
  }

  #makeWay(): void {
    const idle = [...this.#sessions.values()].find(({ peer, running }) => peer && running.size === 0)
    if (idle === undefined)
      throw new Failure(`${MOST_SESSIONS} sessions are in use: wait until a send or probe is over`)
    void this.close(idle)
  }
}

/** The sessions that the tools share. */
export const sessions = new Sessions()

/** Notes how fast something went. */
export function observe(session: Session, bytesPerSecond: number): void {
  session.bytesPerSecond = bytesPerSecond
  session.mostBytesPerSecond = Math.max(bytesPerSecond, session.mostBytesPerSecond ?? 0)
}

/** Notes a file that has arrived. */
export function noteReceived(session: Session, file: ReceivedFile): void {
  session.bytesReceived += file.bytes
  session.received = [...session.received, file].slice(-MOST_RECEIVED)
}

function hasPeer(session: Session): session is Session & { peer: Peer } {
  return session.peer !== undefined
}
