import { normal } from '../../lib/share/localsend/receiver/addresses.ts'
import type { Offer } from '../../lib/share/localsend/receiver/offers.ts'
import type { ReceiverEvent } from '../../lib/share/localsend/receiver/events.ts'
import { noteReceived, sessions, type Session } from './sessions.ts'

/** What was said of the offers of a session: the folder they go to, or undefined when they are declined. */
type Decision = { session: Session; folder: string | undefined }
type Waiting = { offer: Offer; decide: (decision: Decision | undefined) => void }

/** An offer that nobody has decided is declined after this: as long as senders of this program wait. */
const HOLD_MS = 60_000

/** Keeps each offer waiting until somebody has said, by `localsend_receive`, whether it is wanted and where it goes. */
export class Doorkeeper {
  readonly #decisions = new Map<string, Decision>()
  readonly #waiting = new Set<Waiting>()
  readonly #holdMs: number
  /** Whose files come in now: a receiver takes one sender at a time. */
  #current: Session | undefined

  constructor(holdMs = HOLD_MS) {
    this.#holdMs = holdMs
  }

  /** Where the files of an offer go, once it is known; undefined when they are declined. */
  async decide(offer: Offer, gone: AbortSignal): Promise<string | undefined> {
    const decision = this.#decisionFor(offer) ?? (await this.#wait(offer, gone))
    this.#current = decision?.session
    return decision?.folder
  }

  /**
   * Decides all offers of a session from now on.
   *
   * @returns those that had waited for it
   */
  say(session: Session, folder: string | undefined): Offer[] {
    this.#decisions.set(session.id, { session, folder })
    return [...this.#waiting].flatMap(({ offer, decide }) => {
      const decision = this.#decisionFor(offer)
      if (decision === undefined) return []
      decide(decision)
      return [offer]
    })
  }

  /** The offers that wait for somebody to decide for a session. */
  waitingFor(session: Session): Offer[] {
    return [...this.#waiting].flatMap(({ offer }) => (isOf(session, offer) ? [offer] : []))
  }

  heard(event: ReceiverEvent): void {
    if (event.event !== 'stored' || this.#current === undefined) return
    noteReceived(this.#current, { name: event.name, path: event.path, bytes: event.bytes })
  }

  async #wait(offer: Offer, gone: AbortSignal): Promise<Decision | undefined> {
    return await new Promise((resolve) => {
      const none = () => waiting.decide(undefined)
      const timer = setTimeout(none, this.#holdMs)
      const waiting: Waiting = {
        offer,
        decide: (decision) => {
          clearTimeout(timer)
          gone.removeEventListener('abort', none)
          this.#waiting.delete(waiting)
          resolve(decision)
        },
      }
      this.#waiting.add(waiting)
      gone.addEventListener('abort', none)
      if (gone.aborted) none()
    })
  }

  /** What was said of a peer counts for it more than what was said of anybody; the last word of several. */
  #decisionFor(offer: Offer): Decision | undefined {
    for (const id of this.#decisions.keys()) if (!sessions.find(id)) this.#decisions.delete(id)
    const known = [...this.#decisions.values()].filter(({ session }) => isOf(session, offer))
    return known.findLast(({ session }) => session.peer) ?? known.at(-1)
  }
}

/** Whether an offer comes from a session's peer: by its certificate, else by its address. */
function isOf({ peer }: Session, { address, fingerprint }: Offer): boolean {
  if (peer === undefined) return true
  if (peer.fingerprint !== undefined && fingerprint !== undefined) return peer.fingerprint === fingerprint
  return normal(peer.address) === address
}
