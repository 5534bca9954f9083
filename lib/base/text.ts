import { stripVTControlCharacters } from 'node:util'

// C0 and C1 controls, line and paragraph separators, and the marks that turn the direction of text around.
const UNPRINTABLE = /[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]+/gu

/**
 * Text of another machine as one line that is safe on a terminal: no escape codes, no control characters,
 * no change of direction, at most `maxLength` UTF-16 units.
 */
export function plain(text: string, maxLength = 200): string {
  const line = stripVTControlCharacters(text).replace(UNPRINTABLE, ' ').trimEnd()
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`
}

/**
 * The last line that says something, of the end of a text: a long one is not looked through. What a program writes over
 * itself, as a progress bar is, counts as lines.
 */
export function lastLine(text: string, maxLength: number): string | undefined {
  return text
    .slice(-4000)
    .split(/[\r\n]+/)
    .map((line) => plain(line, maxLength))
    .findLast((line) => /[\p{L}\p{N}]/u.test(line))
}

/** JSON with every character that a terminal could act on as an escape of JSON's own: the same value, safe to show. */
export function asciiControls(json: string): string {
  return json.replace(/[\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** A value as a message quotes it: plain, in quotation marks, not longer than a person wants to read. */
export function quoted(value: string): string {
  return `"${plain(value, 60)}"`
}

/** What was thrown, as one line. */
export function messageOf(thrown: unknown): string {
  return plain(thrown instanceof Error ? thrown.message : String(thrown))
}
