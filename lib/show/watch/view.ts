import type { ChalkInstance } from 'chalk'
import type { Suspect } from '../../model/suspects.ts'
import type { Key, KeyName } from './keys.ts'
import { machineLines, processLines, suspectsOf } from './machine-page.ts'
import { meshLines, rowLines, rowsOf, SORTS, type Row, type Sort } from './machines-page.ts'
import type { Deed, Scene } from './scene.ts'
import { fit } from './text.ts'
import { underWayLines } from './under-way-lines.ts'

/** What a key asks for that is more than another look. */
export type Intent =
  | { kind: 'quit' }
  | { kind: 'interrupt' }
  | { kind: 'suspend' }
  | { kind: 'redraw' }
  | { kind: 'act'; deed: Deed; host: string; process: Suspect }
  | { kind: 'answer'; yes: boolean }
  | { kind: 'mode'; mode: number; has: boolean }

export type Size = { columns: number; rows: number }

const HELP = [
  ['up, down, k, j, wheel', 'choose a machine, or a process of one'],
  ['Page Up, Page Down, g, G', 'a page, the first, the last'],
  ['Enter, right, click', 'look at a machine: its processes, round after round'],
  ['Esc, left, h', 'back'],
  ['/', 'only machines with these words in their names; Esc shows all'],
  ['s', 'sort by load, name, memory, pressure'],
  ['m', 'migrate the chosen process to the machine with the most room'],
  ['t', 'throttle the chosen process'],
  ['x', 'end the chosen process; m, t and x ask first'],
  ['Ctrl-L', 'draw all anew'],
  ['q, Ctrl-C', 'end'],
] as const
const NOTES = [
  'Trit: load1 over CPUs above 0.8 is +1 PLUS, below 0.3 is -1 MINUS, else 0 ERGODIC.',
  'Score: 0.6 CPU + 0.3 memory + 0.1 days; above 0.35 the matrix acts on what is in the SCUM class.',
  'Grey numbers are old: their machine is late with its next answer.',
]

/** What a person has chosen to see, and how it looks. */
export class View {
  #page: 'machines' | 'machine' = 'machines'
  #help = false
  /** The machine that is chosen, and looked at on its page. */
  #name: string | undefined
  #pid: number | undefined
  /** The process that is shown as chosen: what a key acts on is what a person has seen. */
  #shown: number | undefined
  #filter = ''
  #typing = false
  #sort: Sort = 'load'
  /** First row that is shown of the list. */
  #top = 0
  /** Rows of the list that are shown, and where the first of them stands. */
  #listed = { rows: 1, at: 0 }
  /** What a person is asked, and `y` affirms. */
  question: string | undefined
  /** What there is to be said, until the next key. */
  message: string | undefined

  /** The machine whose page is shown. */
  get lookedAt(): string | undefined {
    return this.#page === 'machine' ? this.#name : undefined
  }

  press(key: Key, scene: Scene): Intent | undefined {
    if (key.kind === 'mode') return key
    if (key.kind === 'key' && key.name === 'interrupt') return { kind: 'interrupt' }
    if (key.kind === 'key' && key.name === 'suspend') return { kind: 'suspend' }
    if (key.kind === 'key' && key.name === 'redraw') return { kind: 'redraw' }
    if (this.question !== undefined) {
      if (key.kind !== 'char' && key.kind !== 'key') return undefined
      return { kind: 'answer', yes: key.kind === 'char' && /^y$/i.test(key.char) }
    }
    this.message = undefined
    if (this.#typing) return this.#type(key)
    if (this.#help) {
      this.#help = false
      return undefined
    }
    if (key.kind === 'click') return this.#click(key.row, scene)
    if (key.kind === 'char') return this.#pressed(key.char, scene)
    return key.kind === 'key' ? this.#moved(key.name, scene) : undefined
  }

  #type(key: Key): undefined {
    if (key.kind === 'char') this.#filter += key.char
    else if (key.kind === 'paste') this.#filter += key.text.replaceAll(/[\r\n]+/g, ' ')
    else if (key.kind !== 'key') return
    else if (key.name === 'backspace') this.#filter = withoutLast(this.#filter)
    else if (key.name === 'clear') this.#filter = ''
    else if (key.name === 'escape') {
      this.#filter = ''
      this.#typing = false
    } else if (key.name === 'enter' || key.name === 'up' || key.name === 'down') this.#typing = false
    this.#filter = this.#filter.slice(0, 100)
  }

  #pressed(char: string, scene: Scene): Intent | undefined {
    if (char === 'q') return { kind: 'quit' }
    if (char === '?') this.#help = true
    else if (char === 'j') this.#move(1, scene)
    else if (char === 'k') this.#move(-1, scene)
    else if (char === 'g') this.#move(Number.NEGATIVE_INFINITY, scene)
    else if (char === 'G') this.#move(Number.POSITIVE_INFINITY, scene)
    else if (char === 'h') this.#back()
    else if (char === 'l') this.#enter(scene)
    else if (char === '/' && this.#page === 'machines') this.#typing = true
    else if (char === 's' && this.#page === 'machines')
      this.#sort = SORTS[(SORTS.indexOf(this.#sort) + 1) % SORTS.length] ?? 'load'
    else if (char === 'm') return this.#act('migrate', scene)
    else if (char === 't') return this.#act('throttle', scene)
    else if (char === 'x') return this.#act('kill', scene)
    return undefined
  }

  #moved(name: KeyName, scene: Scene): undefined {
    const page = Math.max(1, this.#listed.rows - 1)
    if (name === 'up' || name === 'wheel-up') this.#move(-1, scene)
    else if (name === 'down' || name === 'wheel-down') this.#move(1, scene)
    else if (name === 'page-up') this.#move(-page, scene)
    else if (name === 'page-down') this.#move(page, scene)
    else if (name === 'home') this.#move(Number.NEGATIVE_INFINITY, scene)
    else if (name === 'end') this.#move(Number.POSITIVE_INFINITY, scene)
    else if (name === 'enter' || name === 'right') this.#enter(scene)
    else if (name === 'left' || name === 'backspace') this.#back()
    else if (name === 'escape') {
      if (this.#page === 'machines') this.#filter = ''
      this.#back()
    }
  }

  #click(screenRow: number, scene: Scene): undefined {
    const index = this.#top + screenRow - this.#listed.at
    if (screenRow < this.#listed.at || screenRow >= this.#listed.at + this.#listed.rows) return
    if (this.#page === 'machine') {
      this.#pid = this.#suspects(scene)[index]?.pid ?? this.#pid
      return
    }
    const row = this.#rows(scene)[index]
    if (!row) return
    const again = row.name === this.#name
    this.#name = row.name
    if (again) this.#enter(scene)
  }

  #act(deed: Deed, scene: Scene): Intent | undefined {
    const host = this.#name
    if (this.#page !== 'machine' || host === undefined) {
      this.message = 'choose a process first: Enter shows those of the chosen machine'
      return undefined
    }
    const process = this.#suspects(scene).find(({ pid }) => pid === this.#shown)
    if (process) return { kind: 'act', deed, host, process }
    this.message = 'choose a process first'
    return undefined
  }

  #enter(scene: Scene): void {
    if (this.#page === 'machine') return
    const rows = this.#rows(scene)
    this.#name = (rows.find(({ name }) => name === this.#name) ?? rows[0])?.name
    if (this.#name === undefined) return
    this.#page = 'machine'
    this.#pid = undefined
    this.#top = 0
  }

  #back(): void {
    this.#page = 'machines'
    this.#top = 0
  }

  #move(by: number, scene: Scene): void {
    if (this.#page === 'machine') {
      const pids = this.#suspects(scene).map(({ pid }) => pid)
      this.#pid = moved(pids, this.#shown, by)
    } else
      this.#name = moved(
        this.#rows(scene).map(({ name }) => name),
        this.#name,
        by,
      )
  }

  #rows(scene: Scene): Row[] {
    return rowsOf(scene, this.#filter, this.#sort)
  }

  #suspects({ machines }: Scene): Suspect[] {
    const observed = machines.get(this.#name ?? '')
    return observed ? suspectsOf(observed) : []
  }

  /** The lines of the screen, none wider than it. */
  frame(scene: Scene, { columns, rows }: Size, colours: ChalkInstance): string[] {
    const lines = this.#help
      ? this.#helpLines(columns, colours)
      : this.#pageLines(scene, columns, rows, colours)
    const body = lines.slice(0, rows - 1)
    while (body.length < rows - 1) body.push('')
    return [...body, this.#bottom(columns, colours)].slice(-Math.max(1, rows))
  }

  #pageLines(scene: Scene, width: number, height: number, colours: ChalkInstance): string[] {
    if (this.#page === 'machine' && !scene.machines.has(this.#name ?? '')) {
      this.message = `${this.#name ?? ''} is in the mesh no longer`
      this.#back()
    }
    // What stands above and below the list gives way to it on a low screen.
    const most = height < 8 ? 0 : Math.max(1, Math.min(6, Math.floor(height / 4)))
    const below = underWayLines(scene, most, width, colours)
    const { above, head, length, chosen, linesOf } =
      this.#page === 'machine' ? this.#machine(scene, width, colours) : this.#machines(scene, width, colours)
    const kept = height < 8 ? above.slice(0, 1) : above
    const before = height < 6 ? kept : [...kept, head]
    const space = Math.max(1, height - 1 - before.length - below.length)
    if (chosen !== -1) this.#top = Math.max(chosen - space + 1, Math.min(this.#top, chosen))
    this.#top = Math.max(0, Math.min(this.#top, length - space))
    this.#listed = { rows: space, at: before.length }
    const shown = linesOf(this.#top, this.#top + space)
    const filler: string[] = Array.from({ length: space - shown.length }, () => '')
    return [...before, ...shown, ...filler, ...below]
  }

  #machines(scene: Scene, width: number, colours: ChalkInstance) {
    const rows = this.#rows(scene)
    const known = rows.findIndex(({ name }) => name === this.#name)
    const chosen = known === -1 && rows.length > 0 ? 0 : known
    const name = rows[chosen]?.name
    const view = { width, colours, chosen: name }
    return {
      above: meshLines(scene, { rows: rows.length, filter: this.#filter, sort: this.#sort }, width, colours),
      head: rowLines(scene, [], rows, view).head,
      length: rows.length,
      chosen,
      linesOf: (from: number, to: number) => rowLines(scene, rows.slice(from, to), rows, view).lines,
    }
  }

  #machine(scene: Scene, width: number, colours: ChalkInstance) {
    const name = this.#name ?? ''
    const observed = scene.machines.get(name)
    if (!observed) throw new RangeError('a page of no machine')
    const state = scene.mesh.nodes.find((node) => node.name === name)
    const processes = this.#suspects(scene)
    const index = processes.findIndex(({ pid }) => pid === this.#pid)
    const chosen = index === -1 && processes.length > 0 ? 0 : index
    // Until a person chooses, and when what they have chosen has ended, it is the one that stands first.
    if (index === -1) this.#pid = undefined
    this.#shown = processes[chosen]?.pid
    const view = { width, colours, chosen: this.#shown }
    const none = observed.report?.outcome === 'ok' ? 'asking for its processes' : ''
    return {
      above: machineLines(scene, observed, state, width, colours),
      head: processLines(scene, name, [], view).head,
      length: processes.length,
      chosen,
      linesOf: (from: number, to: number) =>
        processes.length === 0
          ? [colours.dim(fit(none, width))]
          : processLines(scene, name, processes.slice(from, to), view).lines,
    }
  }

  #helpLines(width: number, colours: ChalkInstance): string[] {
    const space = Math.min(26, Math.max(8, Math.floor(width / 3)))
    return [
      colours.bold(fit('Keys', width)),
      ...HELP.map(([keys, what]) => `${colours.bold(fit(keys, space))} ${fit(what, width - space - 1)}`),
      '',
      ...NOTES.map((note) => fit(note, width)),
    ]
  }

  #bottom(width: number, colours: ChalkInstance): string {
    if (this.question !== undefined) return colours.bold(fit(`${this.question}? [y/N]`, width))
    if (this.#typing) return fit(`/${this.#filter}_`, width)
    if (this.message !== undefined) return colours.bold(fit(this.message, width))
    const hints = this.#help
      ? 'any key goes back'
      : this.#page === 'machine'
        ? 'Esc back  m migrate  t throttle  x end  ? help  q quit'
        : 'Enter look at  / filter  s sort  ? help  q quit'
    return colours.dim(fit(hints, width))
  }
}

/** The one that stands so many places from a chosen one; the first where none is chosen. */
function moved<T>(all: readonly T[], chosen: T | undefined, by: number): T | undefined {
  const at = chosen === undefined ? 0 : Math.max(0, all.indexOf(chosen))
  return all[Math.max(0, Math.min(all.length - 1, at + by))]
}

const GRAPHEMES = new Intl.Segmenter()

/** A text without its last character, as a person sees characters. */
function withoutLast(text: string): string {
  return Array.from(GRAPHEMES.segment(text), ({ segment }) => segment)
    .slice(0, -1)
    .join('')
}
