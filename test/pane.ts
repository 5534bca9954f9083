import { randomBytes } from 'node:crypto'
import type { Lab } from './lab/lab.ts'
import { repositoryInside } from './lab/layout.ts'
import { waitUntil } from './lab/processes.ts'

export type PaneOptions = { columns?: number; rows?: number; env?: Readonly<Record<string, string>> }

/** A shell in a terminal of a host of the lab: what a person types there, and what they see. */
export class Pane {
  readonly #lab: Lab
  readonly #node: string
  readonly #server = `pane-${randomBytes(4).toString('hex')}`

  private constructor(lab: Lab, node: string) {
    this.#lab = lab
    this.#node = node
  }

  static async open(lab: Lab, node: string, options: PaneOptions = {}): Promise<Pane> {
    const { columns = 100, rows = 30, env = {} } = options
    const pane = new Pane(lab, node)
    const set = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const shell = ['env', ...set, 'PS1=prompt> ', 'bash', '--norc', '--noprofile', '-i']
    await pane.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      String(columns),
      '-y',
      String(rows),
      ...shell,
    )
    await pane.waitFor('prompt>')
    return pane
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', '--', text)
  }

  /** Presses keys, by the names that tmux has: `Enter`, `Escape`, `Down`, `C-c`; one that is a character is typed. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.#tmux('send-keys', key)
  }

  async run(command: string): Promise<void> {
    await this.type(command)
    await this.press('Enter')
  }

  /** What stands there now; with `colours`, with the codes that make them. */
  async screen(colours = false): Promise<string> {
    return await this.#tmux('capture-pane', '-p', ...(colours ? ['-e'] : []))
  }

  /** @returns the screen once the text stands there, or something of the form */
  async waitFor(wanted: string | RegExp, timeoutMs = 40_000): Promise<string> {
    let last = ''
    const isThere = async () => {
      last = await this.screen()
      return typeof wanted === 'string' ? last.includes(wanted) : wanted.test(last)
    }
    if (!(await waitUntil(isThere, timeoutMs, 250)))
      throw new Error(`${String(wanted)} did not come to stand on the screen:\n${last}`)
    return last
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows))
  }

  /** The modes of the terminal that a program may set, and what the line discipline has. */
  async modes(): Promise<string> {
    const flags = [
      'alternate_on',
      'cursor_flag',
      'wrap_flag',
      'mouse_any_flag',
      'mouse_sgr_flag',
      'pane_title',
    ]
    const told = await this.#tmux(
      'display-message',
      '-p',
      flags.map((flag) => `${flag}=#{${flag}}`).join(' '),
    )
    const tty = (await this.#tmux('display-message', '-p', '#{pane_tty}')).trim()
    const { stdout } = await this.#lab.exec(this.#node, ['stty', '-F', tty, '-g'])
    return `${told.trim()} ${stdout.trim()}`
  }

  /** Everything that is written to it from now on goes into a file of the host. */
  async record(file: string): Promise<void> {
    await this.#tmux('pipe-pane', '-o', `cat >>${file}`)
  }

  /** The window is closed, as a person closes one. */
  async close(): Promise<void> {
    await this.#lab.exec(this.#node, ['tmux', '-L', this.#server, 'kill-server'])
  }

  async #tmux(...args: string[]): Promise<string> {
    const options = { cwd: repositoryInside }
    const command = ['tmux', '-L', this.#server, ...args]
    const { stdout, stderr, exitCode } = await this.#lab.exec(this.#node, command, options)
    if (exitCode !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
    return stdout
  }
}
