import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { Failure, Interrupted } from '../../base/errors.ts'
import { messageOf } from '../../base/text.ts'
import type { Connections } from '../connections.ts'
import type { Mesh } from '../nodes.ts'
import type { MeshNode } from '../node.ts'
import { Follower, type Following } from './follower.ts'
import { Mailbox } from './mailbox.ts'
import type { Changes, Observed, Observer } from './observed.ts'

export type ObserveOptions = {
  /** Tells the machines of the mesh as they are now, asked again and again. */
  find: (signal: AbortSignal) => Promise<Mesh>
  /** How often each machine is asked. */
  roundMs: number
  /** How many machines are connected to at the same time. */
  fanout: number
  /** How long a connection may take, its first answer included. */
  connectMs: number
  /** How often it is asked who is in the mesh (5 s, and longer where that is many). */
  findMs?: number
  /** Those that were opened for it are closed at the end. */
  connections: Connections
}

const FIND_MS = 5000
const FIND_A_MACHINE_MS = 50
/** How often a machine is asked what it runs, where nobody looks at it. */
const PROCESSES_MS = 10_000
const PROCESSES_A_MACHINE_MS = 150

/**
 * Keeps a connection to each machine of the mesh, and asks each for its load round after round, until the signal is
 * aborted. Machines come and go with the mesh.
 */
export function observe(options: ObserveOptions, signal: AbortSignal): Observer {
  return new Observing(options, signal)
}

class Observing implements Observer {
  readonly ended: Promise<void>
  mesh: Observer['mesh'] = { from: 'alone' }
  readonly #options: ObserveOptions
  readonly #following: Following
  readonly #mailboxes = new Set<Mailbox>()
  readonly #lookers = new Map<string, Set<{ release: () => void }>>()
  #followers = new Map<string, Follower>()
  #machines = new Map<string, Observed>()
  readonly #leaving = new Set<Promise<void>>()
  #over = false

  constructor(options: ObserveOptions, signal: AbortSignal) {
    setMaxListeners(0, signal)
    this.#options = options
    const { connections, roundMs, connectMs, fanout } = options
    this.#following = {
      connections,
      roundMs,
      connectMs,
      connecting: pLimit(fanout),
      processesEveryMs: () => Math.max(PROCESSES_MS, PROCESSES_A_MACHINE_MS * this.#followers.size),
      changed: (name) => this.#mailboxes.forEach((box) => box.changed(name)),
    }
    this.ended = this.#observe(signal)
    this.ended.catch(() => {}) // Whoever waits for it hears of it.
  }

  get machines(): ReadonlyMap<string, Observed> {
    return this.#machines
  }

  async *changes(signal?: AbortSignal): AsyncGenerator<Changes> {
    const box = new Mailbox()
    this.#mailboxes.add(box)
    const end = () => box.end()
    if (this.#over || signal?.aborted) end()
    signal?.addEventListener('abort', end)
    box.mesh()
    for (const name of this.#machines.keys()) box.changed(name)
    try {
      for (let taken = await box.take(); taken; taken = await box.take()) yield taken
    } finally {
      signal?.removeEventListener('abort', end)
      this.#mailboxes.delete(box)
    }
  }

  lookAt(name: string): () => void {
    const looker = { release: this.#followers.get(name)?.lookAt() ?? (() => {}) }
    const lookers = this.#lookers.get(name) ?? new Set()
    this.#lookers.set(name, lookers.add(looker))
    return () => {
      looker.release()
      lookers.delete(looker)
      if (lookers.size === 0) this.#lookers.delete(name)
    }
  }

  async #observe(signal: AbortSignal): Promise<void> {
    try {
      this.#apply(await this.#options.find(signal))
      while (!signal.aborted) {
        await sleep(
          this.#options.findMs ?? Math.max(FIND_MS, FIND_A_MACHINE_MS * this.#followers.size),
          undefined,
          { signal },
        )
        // The person has named them: they stay.
        if (this.mesh.from === 'hosts') continue
        await this.#options.find(signal).then(
          (mesh) => this.#apply(mesh),
          (error: unknown) => {
            if (signal.aborted || !(error instanceof Failure)) throw error
            this.#tellOfMesh({ from: this.mesh.from, warning: messageOf(error) })
          },
        )
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof Interrupted)) throw error
    } finally {
      await this.#end()
    }
  }

  #apply({ nodes, ...mesh }: Mesh): void {
    this.#tellOfMesh(mesh)
    const before = this.#followers
    this.#followers = new Map(nodes.map((node) => [node.name, this.#followerOf(node, before.get(node.name))]))
    this.#machines = new Map([...this.#followers].map(([name, { observed }]) => [name, observed]))
    for (const [name, follower] of before) {
      if (this.#followers.get(name) === follower) continue
      const left = follower.stop().finally(() => this.#leaving.delete(left))
      this.#leaving.add(left)
      if (!this.#followers.has(name)) this.#mailboxes.forEach((box) => box.gone(name))
    }
  }

  #followerOf(node: MeshNode, before: Follower | undefined): Follower {
    if (before && before.observed.node.self === node.self) {
      before.update(node)
      return before
    }
    const follower = new Follower(node, this.#following)
    for (const looker of this.#lookers.get(node.name) ?? []) looker.release = follower.lookAt()
    this.#mailboxes.forEach((box) => box.changed(node.name))
    return follower
  }

  #tellOfMesh(mesh: Observer['mesh']): void {
    if (JSON.stringify(mesh) === JSON.stringify(this.mesh)) return
    this.mesh = mesh
    this.#mailboxes.forEach((box) => box.mesh())
  }

  async #end(): Promise<void> {
    this.#over = true
    this.#mailboxes.forEach((box) => box.end())
    await Promise.all([...this.#followers.values()].map((follower) => follower.stop()))
    await Promise.all(this.#leaving)
    await this.#options.connections.closeOpened()
  }
}
