import stringWidth from 'string-width'
import { plain } from '../../base/text.ts'
import { ONE_COLUMN_EACH } from '../width.ts'

/** Columns of a text on a terminal. */
export function widthOf(text: string): number {
  return ONE_COLUMN_EACH.test(text) ? text.length : stringWidth(text)
}

// Of what joins, hides or picks a form of characters every terminal makes something else, and so another width; half a
// character of UTF-16 is none.
const OF_NO_WIDTH = /[\p{Cf}\uFE00-\uFE0F]/gu
const HALVES = /\p{Cs}/gu
const GRAPHEMES = new Intl.Segmenter()

/** Text of any origin, in exactly so many columns: made plain, cut short, filled up with blanks. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  if (width <= 0) return ''
  const safe = plain(text, 2000).replaceAll(OF_NO_WIDTH, '').replaceAll(HALVES, '\uFFFD')
  const shown = widthOf(safe) <= width ? safe : `${beginning(safe, width - 1)}…`
  const blanks = ' '.repeat(Math.max(0, width - widthOf(shown)))
  return align === 'right' ? blanks + shown : shown + blanks
}

/** As many characters, as a person sees characters, as have room. */
function beginning(text: string, width: number): string {
  let taken = ''
  let left = width
  for (const { segment } of GRAPHEMES.segment(text.slice(0, 8 * width + 64))) {
    left -= widthOf(segment)
    if (left < 0) break
    taken += segment
  }
  return taken
}

/** Text as lines of so many columns, parted at blanks; what does not have room on the last is cut off by `fit`. */
export function wrapped(text: string, width: number, most: number): string[] {
  const lines: string[] = []
  let rest = plain(text, 2000)
  while (lines.length < most - 1 && widthOf(rest) > width) {
    const line = beginning(rest, width)
    const blank = line.lastIndexOf(' ')
    const taken = blank > width / 2 ? line.slice(0, blank) : line
    if (taken === '') break
    lines.push(taken)
    rest = rest.slice(taken.length).trimStart()
  }
  return [...lines, rest]
}

const HEIGHTS = '▁▂▃▄▅▆▇█'

/** Ratios as a line of bars, each full at 1; a blank where there is no measurement. */
export function sparkline(ratios: readonly (number | undefined)[]): string {
  return ratios
    .map((ratio) => {
      if (ratio === undefined) return ' '
      const level = Math.ceil(Math.min(1, Math.max(0, ratio)) * HEIGHTS.length)
      return HEIGHTS[Math.max(1, level) - 1] ?? ''
    })
    .join('')
}

/** Bytes in few columns: `812M`, `3.2G`. */
export function shortBytes(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P']
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${value >= 10 || power === 0 ? value.toFixed(0) : value.toFixed(1)}${units[power]}`
}
