import type { ServerResponse } from 'node:http'
import { changeOf, type Content } from './news.ts'

/** What there is to look at: the mesh, or one machine of it by its name. */
export type Subject = {
  /** What is to be shown of it now; undefined where there is no such machine. */
  content: (machine: string | undefined) => Content | undefined
  /** A machine is looked at closely until what is returned is called. */
  lookAt: (machine: string) => () => void
}

export type AudienceLimits = {
  /** How many may look at the same time. */
  most: number
  mostOfAddress: number
  /** How often what is shown is compared with what there is. */
  tickMs: number
  /** Something is said this often, so that both ends and what is between them know that the other is there. */
  beatMs: number
  /** Who has not taken what was sent for so long is let go. */
  patienceMs: number
}

const LIMITS: AudienceLimits = {
  most: 64,
  mostOfAddress: 16,
  tickMs: 1000,
  beatMs: 15_000,
  patienceMs: 30_000,
}

/** When a browser that lost the connection is to try again. */
const RETRY_MS = 3000

type Viewer = {
  response: ServerResponse
  address: string
  /** The number of the last state of its channel that was written to it; 0 where none was. */
  seen: number
  /** Since when it has not taken what was written; then nothing more is, and it gets all of it later. */
  fullSinceMs: number | undefined
}

type Channel = {
  machine: string | undefined
  viewers: Set<Viewer>
  content: Content
  /** Of the states that its content has had. */
  number: number
  /** What led to the state of this number from the one before. */
  change: string
  leave: () => void
}

/**
 * Those who look at a page now, by server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). Who is slow misses what is between, never the last;
 * nothing is kept for anybody but what the socket holds, and nothing is made of what nobody looks at.
 */
export class Audience {
  readonly #subject: Subject
  readonly #limits: AudienceLimits
  readonly #channels = new Map<string, Channel>()
  #timers: NodeJS.Timeout[] = []

  constructor(subject: Subject, limits: Partial<AudienceLimits> = {}) {
    this.#subject = subject
    this.#limits = { ...LIMITS, ...limits }
  }

  /** Lets somebody look from now on, and writes the headers too. @returns why not */
  admit(
    response: ServerResponse,
    address: string,
    machine: string | undefined,
  ): 'full' | 'no such machine' | undefined {
    const all = this.#viewers()
    const ofAddress = all.filter((viewer) => viewer.address === address).length
    if (all.length >= this.#limits.most || ofAddress >= this.#limits.mostOfAddress) return 'full'
    const key = machine === undefined ? '' : `machine ${machine}`
    const channel = this.#channels.get(key) ?? this.#newChannel(key, machine)
    if (channel === undefined) return 'no such machine'
    const viewer: Viewer = { response, address, seen: 0, fullSinceMs: undefined }
    channel.viewers.add(viewer)
    if (this.#timers.length === 0) this.#begin()
    response.on('error', () => {})
    response.once('close', () => this.#leave(key, channel, viewer))
    response.on('drain', () => {
      viewer.fullSinceMs = undefined
      tell(channel, viewer)
    })
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
    write(viewer, `retry: ${RETRY_MS}\n\n`)
    tell(channel, viewer)
    return undefined
  }

  close(): void {
    for (const { response } of this.#viewers()) response.end()
    this.#end()
  }

  #viewers(): Viewer[] {
    return [...this.#channels.values()].flatMap(({ viewers }) => [...viewers])
  }

  #newChannel(key: string, machine: string | undefined): Channel | undefined {
    const content = this.#subject.content(machine)
    if (content === undefined) return undefined
    const leave = machine === undefined ? () => {} : this.#subject.lookAt(machine)
    const channel = { machine, viewers: new Set<Viewer>(), content, number: 1, change: '', leave }
    this.#channels.set(key, channel)
    return channel
  }

  #leave(key: string, channel: Channel, viewer: Viewer): void {
    channel.viewers.delete(viewer)
    if (channel.viewers.size > 0 || this.#channels.get(key) !== channel) return
    this.#channels.delete(key)
    channel.leave()
    if (this.#channels.size === 0) this.#end()
  }

  #begin(): void {
    this.#timers = [
      setInterval(() => this.#tick(), this.#limits.tickMs),
      setInterval(() => this.#beat(), this.#limits.beatMs),
    ]
  }

  #end(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#timers = []
  }

  #tick(): void {
    for (const channel of this.#channels.values()) {
      const content = this.#subject.content(channel.machine)
      // The machine is in the mesh no longer: a browser that asks again is told so.
      if (content === undefined) for (const { response } of channel.viewers) response.end()
      const change = content && changeOf(channel.content, content)
      if (content === undefined || change === undefined) continue
      channel.content = content
      channel.number += 1
      channel.change = JSON.stringify(change)
      for (const viewer of channel.viewers) tell(channel, viewer)
    }
  }

  #beat(): void {
    const now = performance.now()
    for (const viewer of this.#viewers()) {
      if (viewer.fullSinceMs === undefined) write(viewer, event('beat', '0'))
      else if (now - viewer.fullSinceMs > this.#limits.patienceMs) viewer.response.destroy()
    }
  }
}

/** What has changed to who has seen the state before, all to who has not. */
function tell({ number, change, content }: Channel, viewer: Viewer): void {
  if (viewer.fullSinceMs !== undefined || viewer.seen === number) return
  const follows = viewer.seen > 0 && viewer.seen === number - 1
  viewer.seen = number
  write(viewer, event('news', follows ? change : JSON.stringify(content)))
}

function write(viewer: Viewer, text: string): void {
  if (!viewer.response.write(text)) viewer.fullSinceMs ??= performance.now()
}

/** JSON has no bare line break, so that it is one line of data. */
function event(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`
}
