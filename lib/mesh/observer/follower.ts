import type { LimitFunction } from 'p-limit'
import type { Asked } from '../../machine/probe-rounds.ts'
import type { Round } from '../../machine/answer.ts'
import type { Counts } from '../../machine/processes.ts'
import type { Connections } from '../connections.ts'
import type { MeshNode } from '../node.ts'
import { hostOf } from '../remote/host.ts'
import { History } from './history.ts'
import { Link, LinkFault } from './link.ts'
import type { Observed } from './observed.ts'

export type Following = {
  connections: Connections
  /** How often a machine is asked, in milliseconds. */
  roundMs: number
  /** How long a connection may take, its first answer included. */
  connectMs: number
  /** How often a machine that nobody looks at is asked for its processes. */
  processesEveryMs: () => number
  /** Of those that connect at the same time. */
  connecting: LimitFunction
  /** Told the name of the machine when anything is known anew. */
  changed: (name: string) => void
}

/** A machine is late when so many rounds have brought no answer, and has no measurement any more after more of them. */
const LATE_ROUNDS = 2
const OLD_ROUNDS = 5
const LEAST_OLD_MS = 10_000
/** Between two attempts at a machine that can't be reached; the last is for all that follow. */
const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 15_000, 30_000]
/** Who is turned away because many come at once is not told of so soon. */
const TURNED_AWAY = 4
/** Of the processes of a machine that nobody looks at: who keeps it busy. */
const MOST_REMEMBERED = 10

/** Follows one machine: connects, asks round after round, and tries again when it has lost it. */
export class Follower {
  readonly observed: Observed
  readonly #following: Following
  readonly #running: Promise<void>
  #stopped = false
  #wake: () => void = () => {}
  #link: Link | undefined
  #ageing: NodeJS.Timeout | undefined
  #fault: { outcome: LinkFault['outcome']; reason: string } | undefined
  #lookers = 0
  #sample: Counts | undefined
  #askedProcessesMs = Number.NEGATIVE_INFINITY
  #failures = 0

  constructor(node: MeshNode, following: Following) {
    this.#following = following
    this.observed = { node, late: false, history: new History(following.roundMs) }
    this.#running = this.#follow()
  }

  /** What the mesh says of it now. It is tried at once when it has come back. */
  update(node: MeshNode): void {
    const before = this.observed.node
    const same = JSON.stringify({ ...before, os: '' }) === JSON.stringify({ ...node, os: '' })
    if (same) return
    this.observed.node = { ...node, os: node.os === 'unknown' ? before.os : node.os }
    const cameBack = before.left !== undefined && node.left === undefined
    const moved = JSON.stringify(before.ssh) !== JSON.stringify(node.ssh) && !node.left
    const nearer = (node.connection?.trit ?? -1) > (before.connection?.trit ?? -1)
    const { report } = this.observed
    if (report) this.observed.report = { ...report, node: this.observed.node }
    if (cameBack || (nearer && report?.outcome !== 'ok')) this.tryNow()
    else if (moved || (node.left && !this.#link)) this.#wake()
    this.#following.changed(node.name)
  }

  /** Does not wait for the end of a pause. */
  tryNow(): void {
    this.#failures = 0
    this.#wake()
  }

  lookAt(): () => void {
    this.#lookers += 1
    this.#wake()
    let looking = true
    return () => {
      if (looking) this.#lookers -= 1
      looking = false
    }
  }

  /** Fulfilled when nothing of it is left, here and, where it can be reached, there. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#ageing)
    this.#wake()
    await Promise.all([this.#link?.close(), this.#running])
  }

  async #follow(): Promise<void> {
    while (!this.#stopped) {
      const { left, self, ssh } = this.observed.node
      if (left || (!self && !ssh)) {
        this.#fail(left ?? { outcome: 'skipped', reason: 'no way to reach it is known' })
        await this.#pause(undefined)
        continue
      }
      const { outcome, message, turnedAway } = await this.#converse()
      if (this.#stopped) return
      this.#failures += 1
      if (!turnedAway || this.#failures > TURNED_AWAY) {
        const advice = turnedAway ? ': too many at once? --fanout asks fewer' : ''
        this.#fail({ outcome, reason: `${message}${advice}` })
      }
      if (this.observed.node.left) continue
      const pauseMs = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length) - 1] ?? 0
      // The first time it is tried anew at once: a kept connection may have been of before.
      const jitteredMs = this.#failures === 1 && !turnedAway ? 0 : pauseMs * (0.75 + Math.random() / 2)
      this.observed.retryAtMs = Date.now() + jitteredMs
      await this.#pause(jitteredMs)
      delete this.observed.retryAtMs
    }
  }

  /** Over one connection, until that ends. */
  async #converse(): Promise<LinkFault> {
    const { connections, roundMs, connectMs, connecting } = this.#following
    const address = JSON.stringify(this.observed.node.ssh)
    let controlPath: string | undefined
    try {
      await connecting(async () => {
        if (this.#stopped) throw new LinkFault('unreachable', '')
        const opened = await Link.open(hostOf(this.observed.node), connections, { roundMs, connectMs })
        this.#link = opened.link
        controlPath = opened.controlPath
        if (this.#stopped) throw new LinkFault('unreachable', '')
        this.#take(await this.#round(opened.link, connectMs))
      })
      for (;;) {
        await this.#pause(roundMs * (0.9 + Math.random() / 5))
        if (this.#stopped || JSON.stringify(this.observed.node.ssh) !== address)
          throw new LinkFault('unreachable', 'its address has changed')
        if (!this.#link) throw new RangeError('a conversation without a link')
        this.#take(await this.#round(this.#link, this.#oldMs))
      }
    } catch (error) {
      if (!(error instanceof LinkFault)) throw error
      const link = this.#link
      this.#link = undefined
      await link?.close()
      // What another run has kept may lead to a machine that has been started again since.
      if (controlPath !== undefined && !this.#stopped) await connections.drop(controlPath)
      return error
    }
  }

  async #round(link: Link, timeoutMs: number): Promise<Round & { asked: Asked; tookMs: number }> {
    const asked = this.#next()
    const beganMs = performance.now()
    if (asked !== 'load') this.#askedProcessesMs = beganMs
    const round = await link.ask(asked, timeoutMs, this.#sample)
    return { ...round, asked, tookMs: performance.now() - beganMs }
  }

  #next(): Asked {
    if (this.#lookers > 0) return 'users'
    const passedMs = performance.now() - this.#askedProcessesMs
    // Two samples make a list: the second follows soon.
    const soon = this.observed.processes === undefined
    return soon || passedMs >= this.#following.processesEveryMs() ? 'processes' : 'load'
  }

  #take({ answer, sample, asked, tookMs }: Round & { asked: Asked; tookMs: number }): void {
    const { observed } = this
    const nowMs = Date.now()
    const { measurement, processes, onlyOwnProcesses = false } = answer
    const { load1, cpus, pressure, availableBytes, os } = measurement
    observed.node = { ...observed.node, os: observed.node.os === 'unknown' ? os : observed.node.os }
    observed.report = { node: observed.node, outcome: 'ok', measurement, ageMs: tookMs }
    observed.measuredAtMs = nowMs
    observed.late = false
    observed.history.add({
      atMs: nowMs,
      ratio: load1 / cpus,
      ...(pressure ? { pressure10: pressure.some10 } : {}),
      ...(availableBytes === undefined ? {} : { availableBytes }),
    })
    if (sample) this.#sample = sample
    if (processes) {
      // This program watches, and is not what keeps the machine busy.
      const others = observed.node.self ? processes.filter(({ pid }) => pid !== process.pid) : processes
      const withUsers = asked === 'users'
      const list = withUsers
        ? others
        : others
            .toSorted((a, b) => b.cpuPercent - a.cpuPercent)
            .slice(0, MOST_REMEMBERED)
            .map((each) => ({ ...each, command: copied(each.command) }))
      observed.processes = { list, atMs: nowMs, onlyOwn: onlyOwnProcesses, withUsers }
    }
    this.#fault = undefined
    this.#failures = 0
    this.#age()
    this.#following.changed(observed.node.name)
  }

  #fail(fault: { outcome: LinkFault['outcome']; reason: string }): void {
    this.#fault = fault
    this.#age()
  }

  get #oldMs(): number {
    return Math.max(LEAST_OLD_MS, OLD_ROUNDS * this.#following.roundMs)
  }

  /** A measurement counts for a while after the last answer; then it is told why there is none. */
  #age(): void {
    clearTimeout(this.#ageing)
    if (this.#stopped) return
    const { observed } = this
    const { measuredAtMs } = observed
    const ageMs = measuredAtMs === undefined ? Number.POSITIVE_INFINITY : Date.now() - measuredAtMs
    const lateMs = LATE_ROUNDS * this.#following.roundMs
    const late = this.#fault !== undefined || ageMs >= lateMs
    const old = ageMs >= this.#oldMs
    const before = JSON.stringify([observed.late, observed.report?.outcome === 'ok' ? 'ok' : observed.report])
    observed.late = late && measuredAtMs !== undefined
    if (old && (this.#fault || measuredAtMs !== undefined)) {
      const silent = { outcome: 'timeout', reason: `no answer for ${Math.round(ageMs / 1000)} s` } as const
      observed.report = { node: observed.node, ...(this.#fault ?? silent) }
    }
    const after = JSON.stringify([observed.late, observed.report?.outcome === 'ok' ? 'ok' : observed.report])
    if (before !== after) this.#following.changed(observed.node.name)
    if (old) return
    const inMs = (late ? this.#oldMs : lateMs) - ageMs
    this.#ageing = setTimeout(() => this.#age(), Math.max(10, inMs))
  }

  /** Ends after a time, or when something is to be done at once. */
  async #pause(ms: number | undefined): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = () => {}
  }
}

/** A text that keeps no longer one in memory of which it is a part: the whole answer. */
function copied(text: string): string {
  return Buffer.from(text).toString()
}
