import { holds, loadWith, type Forecast } from './forecast.ts'

/** After a request in vain a smaller one is tried, by this factor: if it is in vain too, it speaks for more of them. */
const LESS = 0.75
const MOST_IN_VAIN = 64

/**
 * Receivers, the one with the lowest predicted ratio first. Each is given once. A tree over them keeps the most room
 * and the most memory of every stretch, so that the first one that a process fits is found without asking all.
 */
export class Receivers {
  readonly #ranked: Forecast[]
  readonly #leaves: number
  /** Of node i of the tree, whose children are 2i and 2i + 1: CPUs of room and bytes of memory. */
  readonly #room: Float64Array
  readonly #memory: Float64Array
  /** Requests for which there is no receiver, nor for any that asks for more. */
  readonly #inVain: { cpu: number; memoryBytes: number }[] = []

  constructor(nodes: readonly Forecast[]) {
    this.#ranked = nodes.toSorted(
      (a, b) =>
        loadWith(a, 0) / a.cpus - loadWith(b, 0) / b.cpus || b.cpus - a.cpus || (a.name < b.name ? -1 : 1),
    )
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, nodes.length)))
    this.#room = new Float64Array(2 * this.#leaves).fill(-1)
    this.#memory = new Float64Array(2 * this.#leaves).fill(-1)
    for (const [index, each] of this.#ranked.entries()) {
      this.#room[this.#leaves + index] = each.cpus * 0.8 - loadWith(each, 0)
      this.#memory[this.#leaves + index] = each.node.freeMemoryBytes ?? 0
    }
    for (let index = this.#leaves - 1; index > 0; index--) this.#renew(index)
  }

  /** The first receiver that stays at or below a ratio of 0.8 with so much more; it is not given again. */
  take(cpu: number, memoryBytes: number): Forecast | undefined {
    // There is never more room than before: what asks for no less than one that found none need not look.
    if (this.#inVain.some((each) => each.cpu <= cpu && each.memoryBytes <= memoryBytes)) return undefined
    const found = this.#find(1, cpu, memoryBytes)
    if (found === undefined) {
      const less = { cpu: cpu * LESS, memoryBytes: memoryBytes * LESS }
      const none = this.#find(1, less.cpu, less.memoryBytes) === undefined
      if (this.#inVain.length < MOST_IN_VAIN) this.#inVain.push(none ? less : { cpu, memoryBytes })
      return undefined
    }
    let index = this.#leaves + found
    this.#room[index] = -1
    for (index >>= 1; index > 0; index >>= 1) this.#renew(index)
    return this.#ranked[found]
  }

  #renew(index: number): void {
    for (const most of [this.#room, this.#memory])
      most[index] = Math.max(most[2 * index] ?? -1, most[2 * index + 1] ?? -1)
  }

  /** Its rank. The room is rounded, so a leaf is asked exactly. */
  #find(index: number, cpu: number, memoryBytes: number): number | undefined {
    if ((this.#room[index] ?? -1) + 1e-9 < cpu || (this.#memory[index] ?? -1) < memoryBytes) return undefined
    if (index < this.#leaves)
      return this.#find(2 * index, cpu, memoryBytes) ?? this.#find(2 * index + 1, cpu, memoryBytes)
    const receiver = this.#ranked[index - this.#leaves]
    return receiver && holds(loadWith(receiver, cpu), receiver.cpus) ? index - this.#leaves : undefined
  }
}
