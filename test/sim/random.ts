/** Numbers that look random and are the same for the same seed: mulberry32, a public-domain generator of 32 bits. */
export class Random {
  #state: number

  /** @param name tells streams of one seed apart: what one draws does not change what the others draw */
  constructor(seed: number, name: string) {
    let hash = seed | 0
    for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x5bd1_e995)
    this.#state = hash
    for (let round = 0; round < 8; round++) this.next()
  }

  /** At least 0 and below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next()
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next())
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.next() * items.length)] ?? items[0]
  }
}
