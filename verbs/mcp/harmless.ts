import { stripVTControlCharacters } from 'node:util'

// As in lib/base/text.ts, but for tabs and ends of lines, which output of commands has.
const UNPRINTABLE =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]+/gu

/**
 * A document whose texts have no escape codes, no control characters and no change of direction: names, commands and
 * output come from other machines, and a client may show them on a terminal.
 */
export function harmless(value: unknown): unknown {
  if (typeof value === 'string') return harmlessText(value)
  if (Array.isArray(value)) return value.map((each) => harmless(each))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, harmless(each)]))
}

export function harmlessText(text: string): string {
  return stripVTControlCharacters(text).replace(UNPRINTABLE, ' ')
}

/** A text of another machine in a sentence: in JSON's quotation marks, which nothing in it can end. */
export function fenced(text: string): string {
  return JSON.stringify(harmlessText(text).replaceAll(/\s+/g, ' ').slice(0, 200))
}
