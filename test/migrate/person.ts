import { vi } from 'vitest'
import type { HostName, Scene } from './scene.ts'

/** Somebody at a terminal of a machine: what is typed there, and what is on the screen. */
export class Person {
  readonly #scene: Scene
  readonly node: HostName
  readonly #name: string

  private constructor(scene: Scene, node: HostName, name: string) {
    this.#scene = scene
    this.node = node
    this.#name = name
  }

  /** @param command what the terminal begins with, for the shell; without it, a shell */
  static async at(
    scene: Scene,
    node: HostName,
    command = 'bash --norc',
    { columns = 100, rows = 30 } = {},
  ): Promise<Person> {
    count += 1
    const person = new Person(scene, node, `person${count}`)
    await person.tmux(`new-session -d -s ${person.#name} -x ${columns} -y ${rows} ${quoted(command)}`)
    return person
  }

  /** A command of the tmux that is this person's terminal. */
  async tmux(words: string): Promise<string> {
    return await this.#scene.sh(this.node, `tmux -u -L ${this.#name} -f /dev/null ${words}`)
  }

  /** Types a line. */
  async says(line: string): Promise<void> {
    await this.tmux(`send-keys -l -- ${quoted(line)}`)
    await this.presses('Enter')
  }

  /** Presses keys, by tmux's names. */
  async presses(...keys: string[]): Promise<void> {
    await this.tmux(`send-keys ${keys.map((key) => quoted(key)).join(' ')}`)
  }

  async screen(): Promise<string> {
    return await this.tmux('capture-pane -p -S -200')
  }

  /** @throws when it does not come to stand on the screen */
  async sees(what: string | RegExp): Promise<void> {
    let screen = ''
    const stands = async () => {
      screen = await this.screen()
      return typeof what === 'string' ? screen.includes(what) : what.test(screen)
    }
    await vi.waitUntil(stands, { timeout: 30_000, interval: 100 }).catch(() => {
      throw new Error(`${what} is not to be seen:\n${screen}`)
    })
  }

  /** The PID of what the terminal began with. */
  async pid(): Promise<number> {
    return Number(await this.tmux("list-panes -F '#{pane_pid}'"))
  }

  async resizes(columns: number, rows: number): Promise<void> {
    await this.tmux(`resize-window -x ${columns} -y ${rows}`)
  }

  async leaves(): Promise<void> {
    await this.tmux('kill-server').catch(() => undefined)
  }
}

let count = 0

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
