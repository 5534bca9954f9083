import type { Changes } from './observed.ts'

/** What one reader has not taken yet: it is added up, so that it is never more than the names of the machines. */
export class Mailbox {
  #changed = new Set<string>()
  #gone = new Set<string>()
  #mesh = false
  #filled: () => void = () => {}
  #over = false

  changed(name: string): void {
    this.#changed.add(name)
    this.#gone.delete(name)
    this.#filled()
  }

  gone(name: string): void {
    this.#gone.add(name)
    this.#changed.delete(name)
    this.#filled()
  }

  mesh(): void {
    this.#mesh = true
    this.#filled()
  }

  /** Nothing more will come. */
  end(): void {
    this.#over = true
    this.#filled()
  }

  /** What has come since the last time, once there is something; undefined when nothing more will come. */
  async take(): Promise<Changes | undefined> {
    while (!this.#over && this.#changed.size + this.#gone.size === 0 && !this.#mesh)
      await new Promise<void>((resolve) => {
        this.#filled = resolve
      })
    if (this.#over) return undefined
    const taken = { changed: this.#changed, gone: this.#gone, mesh: this.#mesh }
    this.#changed = new Set()
    this.#gone = new Set()
    this.#mesh = false
    return taken
  }
}
