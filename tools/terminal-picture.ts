/**
 * terminal-picture: what stood on a terminal, as an SVG; of several screens, one after the other, a moving one.
 *
 * Usage: npx tsx tools/terminal-picture.ts [--light] FILE… >picture.svg
 *
 * Each file is a screen as `tmux capture-pane -p -e` tells it; of a moving picture each is shown for three seconds.
 *
 *   --light   as a terminal with a light background shows it
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import stringWidth from 'string-width'

const CELL = { width: 8.43, height: 17 }
const MARGIN = 14
const SECONDS = 3
const SGR = /\u001B\[([\d;]*)m/

/** A terminal's own colours: those that programs name by 0 to 7, then the bright ones, 8 to 15. */
type Theme = { ink: string; paper: string; faint: string; table: readonly string[] }
const DARK: Theme = {
  ink: '#e6edf3',
  paper: '#0d1117',
  faint: '#8b949e',
  table: (
    '#484f58 #ff7b72 #7ee787 #e3b341 #79c0ff #d2a8ff #56d4dd #b1bac4 ' +
    '#8b949e #ffa198 #a5f0b0 #f2cc60 #a5d6ff #e2c5ff #b3f0ff #ffffff'
  ).split(' '),
}
const LIGHT: Theme = {
  ink: '#1f2328',
  paper: '#ffffff',
  faint: '#656d76',
  table: (
    '#24292f #cf222e #116329 #7d4e00 #0969da #8250df #1b7c83 #6e7781 ' +
    '#57606a #a40e26 #1a7f37 #633c01 #218bff #a475f9 #3192aa #8c959f'
  ).split(' '),
}

type Style = { colour?: string; back?: string; bold: boolean; inverse: boolean; dim: boolean }
const PLAIN: Style = { bold: false, inverse: false, dim: false }

const { values, positionals } = parseArgs({
  options: { light: { type: 'boolean' } },
  allowPositionals: true,
})
const theme = values.light ? LIGHT : DARK
const screens = positionals.map((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
const rows = Math.max(...screens.map((lines) => lines.length))
const columns = Math.max(
  ...screens.flat().map((line) => stringWidth(line.replaceAll(new RegExp(SGR, 'g'), ''))),
)
const width = Math.ceil(columns * CELL.width + 2 * MARGIN)
const height = rows * CELL.height + 2 * MARGIN
const total = SECONDS * screens.length
const frames = screens.map((lines, index) => {
  const texts = lines.flatMap((line, row) => runs(line, row)).join('\n')
  const delay = `style="animation-delay:${index * SECONDS - total}s"`
  return screens.length === 1 ? texts : `<g class="s" ${delay}>\n${texts}\n</g>`
})
const part = 100 / screens.length
const moving =
  screens.length === 1
    ? ''
    : `<style>.s{opacity:0;animation:s ${total}s step-end infinite}@keyframes s{0%{opacity:1}${part.toFixed(3)}%{opacity:0}}</style>\n`

process.stdout
  .write(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
${moving}<rect width="100%" height="100%" rx="8" fill="${theme.paper}"/>
${frames.join('\n')}
</svg>
`)

/** A line as texts of one style each, where there is anything to see. */
function runs(line: string, row: number): string[] {
  const made: string[] = []
  let style = PLAIN
  let column = 0
  for (const [index, piece] of line.split(SGR).entries()) {
    // What the form has caught stands between the texts.
    if (index % 2 === 1) {
      style = styled(style, piece.split(';').map(Number))
      continue
    }
    const hasGround = style.inverse || style.back !== undefined
    const seen = hasGround ? piece : piece.trimEnd()
    if (seen.trim() !== '' || (hasGround && seen !== '')) made.push(run(seen, column, row, style))
    column += stringWidth(piece)
  }
  return made
}

function run(text: string, column: number, row: number, style: Style): string {
  const x = (MARGIN + column * CELL.width).toFixed(1)
  const y = MARGIN + row * CELL.height
  const length = (stringWidth(text) * CELL.width).toFixed(1)
  const colour = style.dim ? theme.faint : (style.colour ?? theme.ink)
  const ground = style.inverse ? colour : style.back
  const ink = style.inverse ? (style.back ?? theme.paper) : colour
  const back =
    ground === undefined
      ? ''
      : `<rect x="${x}" y="${y}" width="${length}" height="${CELL.height}" fill="${ground}"/>`
  if (text.trim() === '') return back
  const weight = style.bold ? ' font-weight="bold"' : ''
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `${back}<text x="${x}" y="${y + 13}" textLength="${length}" xml:space="preserve" fill="${ink}"${weight}>${escaped}</text>`
}

/** The style after these codes of "select graphic rendition" (ECMA-48; 38 and 48 as xterm has them). */
function styled(before: Style, codes: readonly number[]): Style {
  const [code = 0, ...rest] = codes
  if (codes.length === 0) return before
  if (code === 38 || code === 48) {
    const { colour, taken } = extended(rest)
    return styled({ ...before, [code === 38 ? 'colour' : 'back']: colour }, rest.slice(taken))
  }
  return styled(simple(before, code), rest)
}

function simple(style: Style, code: number): Style {
  const { colour, back, ...marks } = style
  const [inFront, behind] = [colour === undefined ? {} : { colour }, back === undefined ? {} : { back }]
  if (code === 0) return PLAIN
  if (code === 1) return { ...style, bold: true }
  if (code === 2) return { ...style, dim: true }
  if (code === 7) return { ...style, inverse: true }
  if (code === 22) return { ...style, bold: false, dim: false }
  if (code === 27) return { ...style, inverse: false }
  if (code === 39) return { ...marks, ...behind }
  if (code === 49) return { ...marks, ...inFront }
  const named = ofTable(code)
  if (named === undefined) return style
  return named.behind ? { ...style, back: named.colour } : { ...style, colour: named.colour }
}

function ofTable(code: number): { colour: string; behind: boolean } | undefined {
  const ground = code % 100
  const [tens, ones] = [Math.floor(ground / 10), code % 10]
  const behind = tens === 4 || code >= 100
  const bright = tens === 9 || code >= 100
  if (ones > 7 || !(behind || bright || tens === 3)) return undefined
  return { colour: theme.table[ones + (bright ? 8 : 0)] ?? theme.ink, behind }
}

/** The colour that follows a 38 or 48, and how many codes say it: `5;N` of 256, or `2;R;G;B`. */
function extended([kind, ...numbers]: readonly number[]): { colour: string; taken: number } {
  if (kind === 2) return { colour: `rgb(${numbers.slice(0, 3).join(',')})`, taken: 4 }
  const [number = 0] = numbers
  const own = theme.table[number]
  if (own !== undefined) return { colour: own, taken: 2 }
  if (number >= 232) {
    const grey = 8 + 10 * (number - 232)
    return { colour: `rgb(${grey},${grey},${grey})`, taken: 2 }
  }
  const [red, green, blue] = [36, 6, 1].map((place) => Math.floor((number - 16) / place) % 6)
  const shade = (step = 0) => (step === 0 ? 0 : 55 + 40 * step)
  return { colour: `rgb(${shade(red)},${shade(green)},${shade(blue)})`, taken: 2 }
}
