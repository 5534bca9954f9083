import { PLUS_ABOVE_RATIO } from '../policy.ts'
import { holds, loadWith, type Forecast } from './forecast.ts'

/**
 * When no receiver fits a request, one for this share of it is tried as well. Where that fits none either, every later
 * request of at least that size is known to be in vain without another search: hundreds of processes may be asked for.
 */
const LESS = 0.75
/** Requests that are remembered to be in vain; the list is walked for each request, so it stays short. */
const MOST_IN_VAIN = 64

/**
 * Gives receivers to those who ask for room, each receiver once, the one with the lowest predicted ratio first. They
 * stand in a binary tree whose nodes know the most room and the most memory of any receiver below: so the first that
 * fits is found without a look at all of them, which counts where a thousand machines get a thousand processes.
 */
export class Receivers {
  readonly #ranked: Forecast[]
  readonly #leaves: number
  /** Of node i of the tree, whose children are 2i and 2i + 1: CPUs of room and bytes of memory. */
  readonly #room: Float64Array
  readonly #memory: Float64Array
  /** Requests that no receiver fits: who asks for as much or more of both need not look. */
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
      this.#room[this.#leaves + index] = each.cpus * PLUS_ABOVE_RATIO - loadWith(each, 0)
      this.#memory[this.#leaves + index] = each.node.freeMemoryBytes ?? 0
    }
    for (let index = this.#leaves - 1; index > 0; index--) this.#renew(index)
  }

  /** The first receiver that does not become PLUS with so much more; it is not given again. */
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

  /** The rank of the first receiver that fits. The tree's sums are rounded, so the receiver itself is asked again. */
  #find(index: number, cpu: number, memoryBytes: number): number | undefined {
    if ((this.#room[index] ?? -1) + 1e-9 < cpu || (this.#memory[index] ?? -1) < memoryBytes) return undefined
    if (index < this.#leaves)
      return this.#find(2 * index, cpu, memoryBytes) ?? this.#find(2 * index + 1, cpu, memoryBytes)
    const receiver = this.#ranked[index - this.#leaves]
    return receiver && holds(loadWith(receiver, cpu), receiver.cpus) ? index - this.#leaves : undefined
  }
}
