import { countedAs } from './addresses.ts'
import { same } from './sessions.ts'

/** Addresses that are counted: beyond that, who has not been seen before is refused. */
const MOST_ADDRESSES = 10_000

/** Counts wrong PINs by address, until the receiver is started again. */
export class Pins {
  readonly #pin: string | undefined
  readonly #most: number
  readonly #wrong = new Map<string, number>()

  constructor(pin: string | undefined, most: number) {
    this.#pin = pin
    this.#most = most
  }

  check(address: string, given: string | null): 'right' | 'wrong' | 'locked' {
    if (this.#pin === undefined) return 'right'
    const who = countedAs(address)
    const wrong = this.#wrong.get(who) ?? (this.#wrong.size < MOST_ADDRESSES ? 0 : this.#most)
    if (wrong >= this.#most) return 'locked'
    if (given !== null && same(this.#pin, given)) return 'right'
    // To ask without one is how a sender finds out that it needs one.
    if (given !== null && given !== '') this.#wrong.set(who, wrong + 1)
    return 'wrong'
  }
}
