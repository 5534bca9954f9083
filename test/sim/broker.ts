import type { PlanNode } from '../../lib/model/plan/snapshot.ts'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'

/** A measurement that is older does not count, in milliseconds: one that is a run old does. */
export const MAX_AGE_MS = 90_000
const MISSING = 0.03
const STALE = 0.1

/** One that plans. It sees what the machines answer, or answered the last time, or nothing, and no other broker. */
export class Broker {
  readonly #seen = new Map<string, { node: PlanNode; atMs: number }>()
  readonly name: string
  /** It carries out its last plan, and does not plan meanwhile. */
  acting = false

  constructor(name: string) {
    this.name = name
  }

  look(machines: Iterable<Machine>, nowMs: number, random: Random): PlanNode[] {
    return [...machines].map((machine) => this.#ask(machine, nowMs, random))
  }

  /** Of 100 machines 3 do not answer, and of 10 there is only what they answered the last time. */
  #ask(machine: Machine, nowMs: number, random: Random): PlanNode {
    const draw = random.next()
    const last = this.#seen.get(machine.name)
    if (draw < MISSING || (draw < MISSING + STALE && !last))
      return { name: machine.name, arrivals: [], departures: [], processes: [] }
    if (draw < MISSING + STALE && last?.node.measurement) {
      const measurement = { ...last.node.measurement, ageMs: nowMs - last.atMs }
      return { ...last.node, measurement }
    }
    const node = machine.observe(nowMs)
    this.#seen.set(machine.name, { node, atMs: nowMs })
    return node
  }
}
