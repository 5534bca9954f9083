import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { messageOf, plain } from '../../lib/base/text.ts'
import type { Order, Went } from '../watch/act.ts'
import { DEEDS } from './deed-names.ts'

/** What the page sends. */
const Ordered = z.strictObject({
  deed: z.enum(DEEDS),
  machine: z.string().min(1).max(255),
  pid: z.int().positive(),
  command: z.string().max(200),
})

const AT_ONCE = 4
const MOST_TOLD = 10
const TOLD_MS = 10 * 60_000

type Told = { text: string; endedMs?: number }

/** What was ordered from the page, how it goes, and how it went. */
export class Deeds {
  /** Stands in the page; who sends it has read the page, and no other site can. */
  readonly ticket = randomBytes(24).toString('base64url')
  readonly allowed: ReadonlySet<Order['deed']>
  readonly #run: (order: Order) => Promise<Went>
  readonly #runs: (order: Order) => boolean
  readonly #running = new Set<Promise<void>>()
  #told: Told[] = []

  /**
   * @param run does it
   * @param runs whether its machine is known to run a process of this PID and command
   */
  constructor(
    allowed: ReadonlySet<Order['deed']>,
    run: (order: Order) => Promise<Went>,
    runs: (order: Order) => boolean,
  ) {
    this.allowed = allowed
    this.#run = run
    this.#runs = runs
  }

  /** Begins what is ordered, and does not wait for it. @returns why it is not begun */
  begin(text: string): { status: 400 | 403 | 409 | 429; says: string } | undefined {
    const order = parse(text)
    if (order === undefined) return { status: 400, says: 'that is no order' }
    const { deed, host, pid, command } = order
    if (!this.allowed.has(deed)) return { status: 403, says: `to ${deed} was not allowed: see --allow` }
    if (!this.#runs(order))
      return { status: 409, says: 'that process is no longer there, or it is another one' }
    if (this.#running.size >= AT_ONCE) return { status: 429, says: 'enough is under way: wait for it' }
    const what = plain(`${deed} ${command} (PID ${pid}) on ${host}`, 200)
    const told: Told = { text: `${what}: under way` }
    this.#told = [told, ...this.#told].slice(0, MOST_TOLD)
    const running = this.#see(order, what, told)
    this.#running.add(running)
    void running.finally(() => this.#running.delete(running))
    return undefined
  }

  async #see(order: Order, what: string, told: Told): Promise<void> {
    const says = await this.#run(order).then((went) => went.says, messageOf)
    told.text = plain(`${what}: ${says}`, 400)
    told.endedMs = performance.now()
  }

  /** A line each, the last first. */
  lines(): string[] {
    const now = performance.now()
    this.#told = this.#told.filter(({ endedMs = now }) => now - endedMs < TOLD_MS)
    return this.#told.map(({ text }) => text)
  }

  /** Fulfilled when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#running)
  }
}

function parse(text: string): Order | undefined {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return undefined
  }
  const { data } = Ordered.safeParse(document)
  return data && { deed: data.deed, host: data.machine, pid: data.pid, command: data.command }
}
