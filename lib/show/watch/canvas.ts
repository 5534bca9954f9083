const SYNC_BEGINS = '\u001B[?2026h'
const SYNC_ENDS = '\u001B[?2026l'

/** The alternate screen, without a cursor and without wrapped lines; the wheel and clicks are told, and what is pasted. */
export const ENTER_SCREEN =
  '\u001B[?1049h\u001B[?25l\u001B[?7l\u001B[?1000h\u001B[?1006h\u001B[?2004h\u001B[2J'
/** Everything as it was before. */
export const LEAVE_SCREEN =
  '\u001B[?2026l\u001B[?2004l\u001B[?1006l\u001B[?1000l\u001B[?7h\u001B[0m\u001B[?25h\u001B[?1049l'
/** Asks whether the terminal shows a frame all at once (synchronized output); one that knows no such question is silent. */
export const ASK_FOR_SYNC = '\u001B[?2026$p'
export const SYNC_MODE = 2026

/** What stands on the screen: it tells what has to be written for the next frame. */
export class Canvas {
  #shown: string[] = []
  #whole = true
  /** Whether the terminal shows what stands between two marks at once. */
  synchronized = false

  /** Nothing is known of what stands there: the next frame is written whole. */
  forget(): void {
    this.#whole = true
  }

  /**
   * What is to be written so that these lines stand there: only those that have changed, as one text; empty where none has.
   *
   * @param lines none wider than the screen, and not more than it has
   */
  draw(lines: readonly string[]): string {
    const parts: string[] = []
    if (this.#whole) parts.push('\u001B[0m\u001B[2J')
    for (const [index, line] of lines.entries())
      if (this.#whole || this.#shown[index] !== line) parts.push(`\u001B[${index + 1};1H${line}\u001B[K`)
    for (let index = lines.length; index < this.#shown.length && !this.#whole; index += 1)
      parts.push(`\u001B[${index + 1};1H\u001B[K`)
    this.#shown = [...lines]
    this.#whole = false
    if (parts.length === 0) return ''
    return this.synchronized ? `${SYNC_BEGINS}${parts.join('')}${SYNC_ENDS}` : parts.join('')
  }
}
