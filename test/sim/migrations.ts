import { ARRIVAL_GAP_MS } from '../../lib/model/plan/forecast.ts'
import type { Events } from './events.ts'
import type { Machine } from './machine.ts'
import type { Move } from './policies.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'

/** Of a checkpoint and a restore at least, of what else takes time on average, and of memory on its way. */
const LEAST_MS = 3000
const MEAN_EXTRA_MS = 5000
const BYTES_PER_MS = 50_000
/** The share of migrations that fail: the process goes on where it was. */
const FAILS = 0.05
/** How much longer than it takes a receiver is reserved. */
const SPARE_MS = 60_000

type Surroundings = {
  events: Events
  machines: ReadonlyMap<string, Machine>
  random: Random
  tally: Tally
  /** Whether receivers are asked first: they refuse when another broker was there before, or something has just come. */
  reserves: boolean
  /** Whether machines remember which process was moved. */
  remembers: boolean
}

/** Processes on their way. Each is stopped before it leaves, and runs again where it arrives or where it was. */
export class Migrations {
  readonly #in: Surroundings

  constructor(surroundings: Surroundings) {
    this.#in = surroundings
  }

  /** Carries moves out, so many at the same time, those that are refused left out; then calls back. */
  carryOut(moves: readonly Move[], owner: string, parallel: number, done: () => void): void {
    const left = [...moves]
    let underWay = 0
    const next = (): void => {
      while (underWay < parallel) {
        const move = left.shift()
        if (move === undefined) break
        if (this.#start(move, owner, ended)) underWay += 1
      }
      if (underWay === 0) done()
    }
    const ended = (): void => {
      underWay -= 1
      next()
    }
    next()
  }

  /** @returns whether it was started; one whose process or receiver is not to be had is not */
  #start({ pid, from, to, cpu }: Move, owner: string, ended: () => void): boolean {
    const { events, machines, random, tally, reserves, remembers } = this.#in
    const [source, target] = [machines.get(from), machines.get(to)]
    const task = source?.tasks.get(pid)
    if (!source || !target || !task) return false
    if (reserves && !this.#free(target)) {
      tally.refused += 1
      return false
    }
    const tookMs = LEAST_MS + random.exponential(MEAN_EXTRA_MS) + task.rssBytes / BYTES_PER_MS
    const departure = { cpu, atMs: events.nowMs }
    source.tasks.delete(pid)
    source.departures.push(departure)
    if (reserves) target.reservation = { owner, untilMs: events.nowMs + tookMs + SPARE_MS }
    events.after(tookMs, () => {
      if (reserves) target.reservation = undefined
      if (random.chance(FAILS)) {
        source.departures = source.departures.filter((each) => each !== departure)
        source.tasks.set(pid, task)
        tally.failed += 1
      } else {
        target.tasks.set(pid, task)
        target.arrivals.push({ cpu, atMs: events.nowMs })
        tally.moved(pid, events.nowMs)
        if (remembers) task.movedMs = events.nowMs
      }
      ended()
    })
    return true
  }

  #free({ reservation, arrivals }: Machine): boolean {
    const { nowMs } = this.#in.events
    const reserved = reservation !== undefined && reservation.untilMs > nowMs
    return !reserved && !arrivals.some(({ atMs }) => nowMs - atMs < ARRIVAL_GAP_MS)
  }
}
