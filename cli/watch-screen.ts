import type { ChalkInstance } from 'chalk'
import { Failure, Interrupted } from '../lib/base/errors.ts'
import { messageOf, plain } from '../lib/base/text.ts'
import { Connections } from '../lib/mesh/connections.ts'
import { Canvas, SYNC_MODE } from '../lib/show/watch/canvas.ts'
import type { Key } from '../lib/show/watch/keys.ts'
import type { Act, Scene } from '../lib/show/watch/scene.ts'
import { View, type Intent } from '../lib/show/watch/view.ts'
import type { Deps } from '../verbs/verb.ts'
import { act } from '../verbs/watch/act.ts'
import type { WatchInput } from '../verbs/watch/schemas.ts'
import { UnderWayReader, type UnderWay } from '../verbs/watch/under-way.ts'
import { eachTime, meshNow, watchMesh } from '../verbs/watch/watch.ts'
import { Declined } from './confirm.ts'
import { Terminal } from './watch-terminal.ts'

/** Between two frames that nobody has pressed a key for. */
const FRAME_MS = 400
/** How often what is told in seconds is drawn anew, and what is under way is read. */
const TICK_MS = 1000
/** For so long what came of an act is shown. */
const RESULT_MS = 60_000

/**
 * Shows the mesh on the terminal until a person ends it.
 *
 * @throws UsageError, Failure; Interrupted
 */
export async function watchOnScreen(input: WatchInput, deps: Deps, colours: ChalkInstance): Promise<void> {
  const ended = new AbortController()
  const signal = AbortSignal.any([deps.signal, ended.signal])
  const screen = new Screen(input, signal, colours, () => ended.abort())
  const observer = await watchMesh(input, screen.depsOf())
  // A defect leaves no connection behind either.
  let defect: unknown
  const failed = (error: unknown) => {
    defect ??= error
    ended.abort()
  }
  process.on('uncaughtException', failed)
  await screen.show(observer)
  await observer.ended
  // What acted on processes has opened connections of its own.
  await Connections.closeAllOpened()
  process.off('uncaughtException', failed)
  if (defect !== undefined) throw defect
  deps.signal.throwIfAborted()
}

type Observer = Awaited<ReturnType<typeof watchMesh>>

class Screen {
  readonly #input: WatchInput
  readonly #signal: AbortSignal
  readonly #colours: ChalkInstance
  readonly #end: () => void
  readonly #view = new View()
  readonly #canvas = new Canvas()
  readonly #terminal: Terminal
  readonly #acts = new Map<number, Act & { endedMs?: number }>()
  readonly #acting = new Set<Promise<void>>()
  readonly #reader = new UnderWayReader()
  #underWay: UnderWay = { migrations: [], jobs: [] }
  #observer: Observer | undefined
  #answer: ((yes: boolean) => void) | undefined
  #looked: { name: string; release: () => void } | undefined
  #nextId = 1
  #taken = false
  #drawnMs = Number.NEGATIVE_INFINITY
  #due: NodeJS.Timeout | undefined

  constructor(input: WatchInput, signal: AbortSignal, colours: ChalkInstance, end: () => void) {
    this.#input = input
    this.#signal = signal
    this.#colours = colours
    this.#end = end
    this.#terminal = new Terminal({
      key: (key) => this.#pressed(key),
      changed: () => {
        this.#canvas.forget()
        this.#draw()
      },
      closed: end,
    })
  }

  async show(observer: Observer): Promise<void> {
    this.#observer = observer
    const ticking = eachTime(TICK_MS, this.#signal, async () => {
      this.#underWay = await this.#reader.read().catch((error: unknown) => {
        this.#say(messageOf(error))
        return this.#underWay
      })
      this.#drawSoon()
    })
    try {
      for await (const _ of observer.changes(this.#signal)) {
        // Where the mesh can't be known, a line says so, and there is no screen.
        if (!this.#taken && observer.machines.size > 0) this.#terminal.take()
        this.#taken ||= observer.machines.size > 0
        this.#drawSoon()
      }
      this.#end()
      await ticking
      // What acts on processes comes to an end that can be told of before this does.
      await Promise.all(this.#acting)
    } finally {
      clearTimeout(this.#due)
      this.#looked?.release()
      this.#answer?.(false)
      if (this.#taken) this.#terminal.release()
    }
  }

  /** What a verb is given: it tells on the screen what it has to tell, and asks there. */
  depsOf(running?: Act): Deps {
    const says = (text: string) => {
      if (running) running.says = plain(text, 200)
      this.#drawSoon()
    }
    return {
      signal: this.#signal,
      warn: (line) => (running ? says(line) : this.#say(line)),
      hint: (line) => (running ? says(line) : this.#say(line)),
      progress: async (text) => {
        says(text)
        return { update: says, stop: () => {} }
      },
      confirm: async (question) => await this.#ask(question, running),
    }
  }

  #say(line: string): void {
    this.#view.message = plain(line, 300)
    this.#drawSoon()
  }

  async #ask(question: string, running: Act | undefined): Promise<void> {
    // Only one thing is asked at a time.
    while (this.#answer) await new Promise<void>((resolve) => setTimeout(resolve, 100))
    this.#signal.throwIfAborted()
    const to = / to (\S+)$/.exec(question)?.[1]
    if (running && running.deed === 'migrate' && to !== undefined) running.to = to
    this.#view.question = plain(question, 200)
    this.#draw()
    const yes = await new Promise<boolean>((resolve) => {
      this.#answer = resolve
    })
    this.#answer = undefined
    this.#view.question = undefined
    this.#drawSoon()
    if (!yes) throw new Declined('nothing was done')
  }

  #pressed(key: Key): void {
    const scene = this.#scene()
    if (!scene) return
    const intent = this.#view.press(key, scene)
    if (intent) this.#follow(intent)
    this.#lookAt(this.#view.lookedAt)
    this.#draw()
  }

  #follow(intent: Intent): void {
    if (intent.kind === 'quit') this.#quit()
    else if (intent.kind === 'interrupt') process.kill(process.pid, 'SIGINT')
    else if (intent.kind === 'suspend') this.#terminal.suspend()
    else if (intent.kind === 'redraw') this.#canvas.forget()
    else if (intent.kind === 'answer') this.#answer?.(intent.yes)
    else if (intent.kind === 'mode') this.#canvas.synchronized ||= intent.mode === SYNC_MODE && intent.has
    else this.#act(intent)
  }

  #quit(): void {
    const running = [...this.#acts.values()].find(({ state }) => state === 'running')
    if (!running) return this.#end()
    this.#view.message = `PID ${running.pid} of ${running.host}: ${running.deed} is under way: wait, or press Ctrl-C`
  }

  #act({ deed, host, process: { pid, command } }: Extract<Intent, { kind: 'act' }>): void {
    const same = [...this.#acts.values()].find((each) => each.host === host && each.pid === pid)
    if (same?.state === 'running') {
      this.#view.message = `PID ${pid}: ${same.deed} is under way`
      return
    }
    if (same) this.#acts.delete(same.id)
    const begun: Act & { endedMs?: number } = {
      id: this.#nextId++,
      deed,
      host,
      pid,
      command,
      state: 'running',
      says: 'looking',
    }
    this.#acts.set(begun.id, begun)
    const acting = this.#carryOut(begun).finally(() => {
      begun.endedMs = Date.now()
      this.#acting.delete(acting)
      this.#drawSoon()
    })
    this.#acting.add(acting)
  }

  async #carryOut(begun: Act): Promise<void> {
    try {
      const { intervalSeconds: _, ...mesh } = this.#input
      const went = await act(begun, mesh, this.depsOf(begun))
      begun.state = went.done ? 'done' : 'failed'
      begun.says = went.says
      if (went.to !== undefined) begun.to = went.to
    } catch (error) {
      begun.state = 'failed'
      begun.says = error instanceof Failure ? plain(messageOf(error), 300) : `defect: ${messageOf(error)}`
      if (error instanceof Declined || error instanceof Interrupted) this.#acts.delete(begun.id)
    }
  }

  #lookAt(name: string | undefined): void {
    if (name === this.#looked?.name) return
    this.#looked?.release()
    this.#looked = undefined
    if (name !== undefined && this.#observer) this.#looked = { name, release: this.#observer.lookAt(name) }
  }

  #scene(): Scene | undefined {
    if (!this.#observer) return undefined
    const nowMs = Date.now()
    for (const { id, endedMs } of this.#acts.values())
      if (endedMs !== undefined && nowMs - endedMs > RESULT_MS) this.#acts.delete(id)
    const { hint } = this.#observer.mesh
    return {
      ...(hint === undefined ? {} : { hint }),
      machines: this.#observer.machines,
      mesh: meshNow(this.#observer),
      underWay: this.#underWay,
      acts: [...this.#acts.values()],
      nowMs,
    }
  }

  #drawSoon(): void {
    this.#due ??= setTimeout(() => this.#draw(), Math.max(0, this.#drawnMs + FRAME_MS - performance.now()))
  }

  #draw(): void {
    clearTimeout(this.#due)
    this.#due = undefined
    const scene = this.#scene()
    // What a slow terminal has not taken yet comes before another frame.
    if (!scene || !this.#terminal.writable) return
    this.#drawnMs = performance.now()
    const lines = this.#view.frame(scene, this.#terminal.size, this.#colours)
    this.#lookAt(this.#view.lookedAt)
    this.#terminal.write(this.#canvas.draw(lines))
  }
}
