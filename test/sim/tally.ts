import type { Machine } from './machine.ts'

const AGAIN_MS = 300_000

/** What is counted while a world runs. */
export class Tally {
  /** Samples of machines with trit -1, 0 and +1. */
  readonly atTrit = { minus: 0, ergodic: 0, plus: 0 }
  moves = 0
  /** Moves of a process that had been moved within 5 minutes. */
  again = 0
  failed = 0
  refused = 0
  /** Times that a process was throttled. */
  held = 0
  /** Processes that came to their end. */
  ended = 0
  readonly planMs: number[] = []
  /** PLUS machines at each sample. */
  readonly plusOverTime: { atMs: number; plus: number }[] = []
  readonly #lastMoved = new Map<number, number>()

  sample(atMs: number, machines: Iterable<Machine>): void {
    let plus = 0
    for (const { trit } of machines) {
      if (trit === 1) plus += 1
      this.atTrit[trit === 1 ? 'plus' : trit === 0 ? 'ergodic' : 'minus'] += 1
    }
    this.plusOverTime.push({ atMs, plus })
  }

  moved(pid: number, atMs: number): void {
    const last = this.#lastMoved.get(pid)
    if (last !== undefined && atMs - last < AGAIN_MS) this.again += 1
    this.#lastMoved.set(pid, atMs)
    this.moves += 1
  }

  /** Minutes until no machine was PLUS for the first time; undefined when there always was one. */
  get minutesToNoPlus(): number | undefined {
    const first = this.plusOverTime.find(({ plus }) => plus === 0)
    return first && first.atMs / 60_000
  }
}
