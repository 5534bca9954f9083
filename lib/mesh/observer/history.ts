/** For how long measurements of a machine are kept. */
export const KEPT_MS = 30 * 60_000

/** What is kept of one measurement. */
export type Point = {
  /** Milliseconds since 1970. */
  atMs: number
  /** load1 over CPUs. */
  ratio: number
  /** PSI, percent over 10 s; absent where the kernel tells none. */
  pressure10?: number
  availableBytes?: number
}

const FIELDS = 4
const FIRST_POINTS = 32

/**
 * The measurements of a machine within the last 30 minutes, in a ring of numbers: it takes 32 bytes a measurement, and
 * never more than the rounds of 30 minutes.
 */
export class History {
  readonly #most: number
  #numbers: Float64Array
  #begin = 0
  #length = 0

  /** @param roundMs how often a machine is measured */
  constructor(roundMs: number) {
    this.#most = Math.max(2, Math.ceil(KEPT_MS / Math.max(250, roundMs)))
    this.#numbers = new Float64Array(FIELDS * Math.min(FIRST_POINTS, this.#most))
  }

  get length(): number {
    return this.#length
  }

  add({ atMs, ratio, pressure10 = Number.NaN, availableBytes = Number.NaN }: Point): void {
    this.forget(atMs - KEPT_MS)
    if (this.#length === this.#capacity) this.#grow()
    if (this.#length === this.#most) this.#drop()
    this.#numbers.set([atMs, ratio, pressure10, availableBytes], FIELDS * this.#slot(this.#length))
    this.#length += 1
  }

  /** Drops what is from before that time. */
  forget(beforeMs: number): void {
    while (this.#length > 0 && this.#atMs(0) < beforeMs) this.#drop()
  }

  /** The measurements since a time, or all, the oldest first. */
  *points(sinceMs = Number.NEGATIVE_INFINITY): Generator<Point> {
    for (let index = this.#firstSince(sinceMs); index < this.#length; index += 1) yield this.#point(index)
  }

  /**
   * The ratio over the last `spanMs` in so many equal parts, the oldest first: the greatest of each part, undefined for
   * one without a measurement. What a sparkline is drawn from.
   */
  ratios(nowMs: number, spanMs: number, parts: number): (number | undefined)[] {
    const found: (number | undefined)[] = Array.from({ length: parts })
    const partMs = spanMs / parts
    // Whole parts, so that a drawing moves on by one and its other parts stay as they are.
    const endMs = (Math.floor(nowMs / partMs) + 1) * partMs
    const beginMs = endMs - spanMs
    for (let index = this.#firstSince(beginMs); index < this.#length; index += 1) {
      const part = Math.floor((this.#atMs(index) - beginMs) / partMs)
      const ratio = this.#numbers[FIELDS * this.#slot(index) + 1] ?? 0
      if (part < parts) found[part] = Math.max(found[part] ?? 0, ratio)
    }
    return found
  }

  #firstSince(sinceMs: number): number {
    let [low, high] = [0, this.#length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#atMs(middle) < sinceMs) low = middle + 1
      else high = middle
    }
    return low
  }

  get #capacity(): number {
    return this.#numbers.length / FIELDS
  }

  #slot(index: number): number {
    return (this.#begin + index) % this.#capacity
  }

  #atMs(index: number): number {
    return this.#numbers[FIELDS * this.#slot(index)] ?? Number.NaN
  }

  #point(index: number): Point {
    const at = FIELDS * this.#slot(index)
    const [atMs = 0, ratio = 0, pressure10 = 0, availableBytes = 0] = this.#numbers.subarray(at, at + FIELDS)
    return {
      atMs,
      ratio,
      ...(Number.isNaN(pressure10) ? {} : { pressure10 }),
      ...(Number.isNaN(availableBytes) ? {} : { availableBytes }),
    }
  }

  #drop(): void {
    this.#begin = (this.#begin + 1) % this.#capacity
    this.#length -= 1
  }

  #grow(): void {
    const capacity = Math.min(this.#most, 2 * this.#capacity)
    if (capacity === this.#capacity) return
    const larger = new Float64Array(FIELDS * capacity)
    for (let index = 0; index < this.#length; index += 1) {
      const at = FIELDS * this.#slot(index)
      larger.set(this.#numbers.subarray(at, at + FIELDS), FIELDS * index)
    }
    this.#numbers = larger
    this.#begin = 0
  }
}
