import { writeSync } from 'node:fs'
import { ASK_FOR_SYNC, ENTER_SCREEN, LEAVE_SCREEN } from '../lib/show/watch/canvas.ts'
import { KeyReader, type Key } from '../lib/show/watch/keys.ts'

/** How long an Escape is waited after, in case it begins a sequence. */
const ESCAPE_MS = 50

export type TerminalEvents = {
  key: (key: Key) => void
  /** All has to be drawn anew: its size is another one, or something else has been on it. */
  changed: () => void
  /** It is gone, or nobody types there any more. */
  closed: () => void
}

/** The terminal as a screen of this program's own. It is as before once it is released, however this program ends. */
export class Terminal {
  readonly #events: TerminalEvents
  readonly #reader = new KeyReader()
  #escape: NodeJS.Timeout | undefined
  #taken = false
  /** What was written is not on the terminal yet: a slow one gets the newest frame and not all of them. */
  #full = false

  constructor(events: TerminalEvents) {
    this.#events = events
  }

  get size(): { columns: number; rows: number } {
    // A terminal may not tell its size; then it is as small as any.
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
  }

  /** Whether it takes more now. */
  get writable(): boolean {
    return this.#taken && !this.#full
  }

  take(): void {
    process.stdin.setEncoding('utf8')
    process.stdin.on('data', this.#read)
    process.stdin.on('end', this.#events.closed)
    process.stdin.on('error', this.#events.closed)
    process.stdout.on('error', this.#events.closed)
    process.stdout.on('resize', this.#events.changed)
    process.stdout.on('drain', this.#drained)
    process.on('SIGTSTP', this.#suspended)
    process.on('SIGCONT', this.#continued)
    process.on('exit', this.#leave)
    // Before an error of this program's own is printed.
    process.on('uncaughtExceptionMonitor', this.#leave)
    this.#enter()
  }

  release(): void {
    this.#leave()
    clearTimeout(this.#escape)
    process.stdin.off('data', this.#read)
    process.stdin.off('end', this.#events.closed)
    process.stdin.off('error', this.#events.closed)
    process.stdin.pause()
    process.stdin.unref()
    process.stdout.off('resize', this.#events.changed)
    process.stdout.off('drain', this.#drained)
    process.off('SIGTSTP', this.#suspended)
    process.off('SIGCONT', this.#continued)
    process.off('exit', this.#leave)
    process.off('uncaughtExceptionMonitor', this.#leave)
  }

  write(text: string): void {
    if (text !== '' && this.#taken) this.#full = !process.stdout.write(text)
  }

  /** Stops this program and all of its job, as Ctrl-Z does where a terminal says so itself. */
  suspend(): void {
    // Before the shell hears that the others have stopped, and writes its prompt.
    this.#leave()
    process.kill(0, 'SIGTSTP')
  }

  readonly #read = (text: string) => {
    clearTimeout(this.#escape)
    for (const key of this.#reader.feed(text)) this.#events.key(key)
    if (!this.#reader.waits) return
    this.#escape = setTimeout(() => {
      for (const key of this.#reader.flush()) this.#events.key(key)
    }, ESCAPE_MS)
  }

  readonly #drained = () => {
    this.#full = false
    this.#events.changed()
  }

  readonly #suspended = () => {
    this.#leave()
    process.kill(process.pid, 'SIGSTOP')
  }

  readonly #continued = () => {
    if (this.#taken) return
    // The shell gives the terminal back before it lets go on, but its own modes may come a moment later.
    setTimeout(() => {
      this.#enter()
      this.#events.changed()
    }, 20)
  }

  #enter(): void {
    this.#taken = true
    this.#full = false
    setRaw(true)
    process.stdout.write(`${ENTER_SCREEN}${ASK_FOR_SYNC}`)
  }

  /** At once, also where this program is about to end: what is still to be written would come after it. */
  readonly #leave = () => {
    if (!this.#taken) return
    this.#taken = false
    try {
      writeSync(process.stdout.fd, LEAVE_SCREEN)
    } catch {
      // There is no terminal any more, or it takes nothing.
    }
    setRaw(false)
  }
}

function setRaw(raw: boolean): void {
  try {
    process.stdin.setRawMode(raw)
  } catch {
    // There is no terminal any more.
  }
}
