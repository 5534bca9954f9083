type Event = { atMs: number; order: number; run: () => void }

/** What is to happen, by time; what is due at the same time happens in the order in which it was put in. */
export class Events {
  nowMs = 0
  #count = 0
  readonly #heap: Event[] = []

  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + delayMs, order: this.#count++, run }
    let index = this.#heap.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#earlier(index, parent)) break
      this.#swap(index, parent)
      index = parent
    }
  }

  /** Lets happen what is due up to this time. */
  runUntil(endMs: number): void {
    for (let next = this.#heap[0]; next && next.atMs <= endMs; next = this.#heap[0]) {
      this.#removeFirst()
      this.nowMs = next.atMs
      next.run()
    }
    this.nowMs = endMs
  }

  #removeFirst(): void {
    this.#swap(0, this.#heap.length - 1)
    this.#heap.pop()
    for (let index = 0; ;) {
      const left = 2 * index + 1
      const child = this.#earlier(left + 1, left) ? left + 1 : left
      if (!this.#earlier(child, index)) return
      this.#swap(index, child)
      index = child
    }
  }

  #earlier(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (!one || !other) return false
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one && other) [this.#heap[a], this.#heap[b]] = [other, one]
  }
}
