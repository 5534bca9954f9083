/** A key as it is called here: a character that was typed, or one of these names. */
export type Key =
  | { kind: 'char'; char: string }
  | { kind: 'key'; name: KeyName }
  | { kind: 'click'; row: number }
  /** Text that was pasted: it is no keys, or pasting a page would act on processes. */
  | { kind: 'paste'; text: string }
  /** The terminal says of a mode whether it has it. */
  | { kind: 'mode'; mode: number; has: boolean }

export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'page-up'
  | 'page-down'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'backspace'
  | 'wheel-up'
  | 'wheel-down'
  | 'interrupt'
  | 'suspend'
  | 'redraw'
  | 'clear'

const FINALS: Readonly<Record<string, KeyName>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
}
const TILDES: Readonly<Record<string, KeyName>> = {
  1: 'home',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
}
const CONTROLS: Readonly<Record<string, KeyName>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\u007F': 'backspace',
  '\b': 'backspace',
  '\u0003': 'interrupt',
  '\u001A': 'suspend',
  '\u000C': 'redraw',
  '\u0015': 'clear',
}
const PASTE_BEGINS = '\u001B[200~'
const PASTE_ENDS = '\u001B[201~'
const MOST_PASTED = 1000
const MOST_SEQUENCE = 64

/** Takes what a terminal sends apart, whose sequences may come in pieces. */
export class KeyReader {
  #rest = ''

  /** The keys that are whole now. */
  feed(text: string): Key[] {
    this.#rest += text
    const keys: Key[] = []
    for (let taken = this.#next(); taken; taken = this.#next()) {
      this.#rest = this.#rest.slice(taken.length)
      if (taken.key) keys.push(taken.key)
    }
    return keys
  }

  /** Whether something is waited for: an Escape, or the beginning of a sequence. */
  get waits(): boolean {
    return this.#rest !== ''
  }

  /** Nothing has followed for a while: what is there is an Escape. */
  flush(): Key[] {
    if (this.#rest.startsWith(PASTE_BEGINS)) return []
    const isEscape = this.#rest === '\u001B'
    this.#rest = ''
    return isEscape ? [{ kind: 'key', name: 'escape' }] : []
  }

  #next(): { length: number; key?: Key } | undefined {
    const text = this.#rest
    if (text === '') return undefined
    if (!text.startsWith('\u001B')) {
      const char = String.fromCodePoint(text.codePointAt(0) ?? 0)
      const name = CONTROLS[char]
      if (name) return { length: char.length, key: { kind: 'key', name } }
      const isControl = /^[\u0000-\u001F\u0080-\u009F]$/.test(char)
      return { length: char.length, ...(isControl ? {} : { key: { kind: 'char', char } }) }
    }
    if (text.startsWith(PASTE_BEGINS)) return this.#pasted(text)
    if (text === '\u001B' || text === '\u001B[' || text === '\u001BO') return undefined
    // Escape was pressed, and something else after it before anybody looked: no key here is one with Alt.
    if (!/^\u001B[[O]/.test(text)) return { length: 1, key: { kind: 'key', name: 'escape' } }
    const sequence = /^\u001B(?:\[[\u0030-\u003F]*[\u0020-\u002F]*[\u0040-\u007E]|O[\u0040-\u007E])/.exec(
      text,
    )?.[0]
    if (sequence === undefined) return text.length > MOST_SEQUENCE ? { length: text.length } : undefined
    const key = keyOf(sequence)
    return { length: sequence.length, ...(key ? { key } : {}) }
  }

  #pasted(text: string): { length: number; key?: Key } | undefined {
    const end = text.indexOf(PASTE_ENDS)
    if (end === -1) {
      // What is too long is forgotten, all but what may be the beginning of its end.
      if (text.length > 100_000) this.#rest = PASTE_BEGINS + text.slice(-PASTE_ENDS.length)
      return undefined
    }
    const pasted = text.slice(PASTE_BEGINS.length, end).slice(0, MOST_PASTED)
    return { length: end + PASTE_ENDS.length, key: { kind: 'paste', text: pasted } }
  }
}

function keyOf(sequence: string): Key | undefined {
  const mode = /^\u001B\[\?(\d+);(\d)\$y$/.exec(sequence)
  if (mode) return { kind: 'mode', mode: Number(mode[1]), has: mode[2] === '1' || mode[2] === '2' }
  const mouse = /^\u001B\[<(\d+);\d+;(\d+)([Mm])$/.exec(sequence)
  if (mouse) {
    if (mouse[1] === '64') return { kind: 'key', name: 'wheel-up' }
    if (mouse[1] === '65') return { kind: 'key', name: 'wheel-down' }
    return mouse[1] === '0' && mouse[3] === 'M' ? { kind: 'click', row: Number(mouse[2]) - 1 } : undefined
  }
  const tilde = /^\u001B\[(\d+)(?:;\d+)?~$/.exec(sequence)
  const name = tilde
    ? TILDES[tilde[1] ?? '']
    : FINALS[/^\u001B(?:\[(?:1;\d+)?|O)([A-Z])$/.exec(sequence)?.[1] ?? '']
  return name ? { kind: 'key', name } : undefined
}
