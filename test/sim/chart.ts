import { percent, type Outcome } from './outcome.ts'
import type { Policy } from './policies.ts'

const WIDTH = 780
const FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
/** The drawing stands on a ground of its own, and so looks the same on any page. */
const COLOUR = { ground: '#0d1117', text: '#e6edf3', dim: '#9198a1', grid: '#30363d', moves: '#79c0ff' }
const TRITS = [
  { name: '-1 MINUS', colour: '#7ee787', share: ({ flow }: Outcome) => flow.minusShare },
  { name: '0 ERGODIC', colour: '#e3b341', share: ({ flow }: Outcome) => flow.ergodicShare },
  { name: '+1 PLUS', colour: '#ff7b72', share: ({ flow }: Outcome) => flow.plusShare },
] as const
const PLUS = TRITS[2]
/** A line a policy in the lower panel. */
const LINES: Record<Policy, string> = {
  planner: '#7ee787',
  never: '#9198a1',
  naive: '#ff7b72',
  random: '#d2a8ff',
  'two-choices': '#79c0ff',
}
const LEFT = 124
const BAR = { width: 300, height: 16, step: 30, top: 78 }
const MOVES = { left: LEFT + BAR.width + 72, width: 100 }

/** An SVG: the share of time at each trit and the moves of every policy; below, PLUS machines after a skewed start. */
export function chart(
  outcomes: readonly Outcome[],
  { nodes, hours, seed }: { nodes: number; hours: number; seed: number },
): string {
  const panelTop = BAR.top + outcomes.length * BAR.step + 52
  const height = panelTop + 190
  const body = [
    text(20, 30, `${nodes} machines, ${hours} h of work, mean ratio 0.5, seed ${seed}`, { weight: 'bold' }),
    ...legend(),
    ...outcomes.flatMap((outcome, index) => bars(outcome, index, outcomes)),
    text(20, panelTop - 14, 'PLUS machines after a skewed start, each minute', { weight: 'bold' }),
    ...lines(outcomes, panelTop),
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="${FONT}" font-size="13" role="img">`,
    '<title>Share of time at each trit and number of moves, by policy</title>',
    `<rect width="100%" height="100%" rx="8" fill="${COLOUR.ground}"/>`,
    ...body,
    '</svg>',
    '',
  ].join('\n')
}

function legend(): string[] {
  const trits = TRITS.flatMap(({ name, colour }, index) => {
    const x = LEFT + index * 104
    return [rect(x, 50, 10, 10, colour), text(x + 15, 59, name, { fill: COLOUR.dim })]
  })
  return [...trits, text(MOVES.left, 59, 'moves (again within 5 min)', { fill: COLOUR.dim })]
}

function bars(outcome: Outcome, index: number, outcomes: readonly Outcome[]): string[] {
  const y = BAR.top + index * BAR.step
  const baseline = y + 13
  let x = LEFT
  const shares = TRITS.flatMap(({ colour, share }) => {
    const width = BAR.width * share(outcome)
    const middle = x + width / 2
    x += width
    return [
      rect(x - width, y, width, BAR.height, colour),
      // That of PLUS, which may be narrow, stands behind the bar.
      ...(colour === PLUS.colour || width < 34 ? [] : [inside(middle, baseline - 1, share(outcome))]),
    ]
  })
  const most = Math.max(1, ...outcomes.map(({ flow }) => flow.moves))
  const width = (MOVES.width * outcome.flow.moves) / most
  const again = width * outcome.flow.againShare
  const told = outcome.flow.moves === 0 ? '0' : `${outcome.flow.moves} (${percent(outcome.flow.againShare)})`
  return [
    text(20, baseline, outcome.policy, { fill: COLOUR.text }),
    ...shares,
    text(x + 8, baseline, percent(outcome.flow.plusShare), { fill: PLUS.colour }),
    rect(MOVES.left, y, width, BAR.height, COLOUR.moves),
    rect(MOVES.left, y, again, BAR.height, PLUS.colour),
    text(MOVES.left + width + 8, baseline, told, { fill: COLOUR.text }),
  ]
}

function inside(x: number, y: number, share: number): string {
  return text(x, y, (100 * share).toFixed(0), { fill: COLOUR.ground, anchor: 'middle', size: 11 })
}

function lines(outcomes: readonly Outcome[], top: number): string[] {
  const [width, height] = [WIDTH - LEFT - 140, 140]
  const minutes = Math.max(...outcomes.map(({ settle }) => settle.plusEachMinute.length)) - 1
  const most = Math.max(1, ...outcomes.flatMap(({ settle }) => settle.plusEachMinute))
  const at = (minute: number) => LEFT + (width * minute) / minutes
  const height0 = (plus: number) => top + height - (height * plus) / most
  const grid = [0, 5, 10, 20, 30].flatMap((minute) => [
    line(at(minute), top, at(minute), top + height),
    text(at(minute), top + height + 18, `${minute} min`, { fill: COLOUR.dim, anchor: 'middle', size: 11 }),
  ])
  const scale = [0, most].flatMap((plus) => [
    line(LEFT, height0(plus), LEFT + width, height0(plus)),
    text(LEFT - 10, height0(plus) + 4, String(plus), { fill: COLOUR.dim, anchor: 'end', size: 11 }),
  ])
  const drawn = outcomes.map(({ policy, settle }) => {
    const points = settle.plusEachMinute.map((plus, minute) => `${round(at(minute))},${round(height0(plus))}`)
    const stroke = policy === 'planner' ? 2.5 : 1.5
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${LINES[policy]}" stroke-width="${stroke}" stroke-linejoin="round"/>`
  })
  const names = outcomes.flatMap(({ policy }, index) => {
    const y = top + 14 + index * 20
    const x = LEFT + width + 20
    return [rect(x, y - 5, 14, 3, LINES[policy]), text(x + 20, y, policy, { fill: COLOUR.text })]
  })
  return [...grid, ...scale, ...drawn.toReversed(), ...names]
}

type Style = { fill?: string; anchor?: string; size?: number; weight?: string }

function text(x: number, y: number, words: string, style: Style): string {
  const { fill = COLOUR.text, anchor, size, weight } = style
  const more = [
    anchor && ` text-anchor="${anchor}"`,
    size && ` font-size="${size}"`,
    weight && ` font-weight="${weight}"`,
  ]
  return `<text x="${round(x)}" y="${round(y)}" fill="${fill}"${more.filter(Boolean).join('')}>${words}</text>`
}

function rect(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" fill="${fill}"/>`
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${COLOUR.grid}"/>`
}

function round(value: number): string {
  return value.toFixed(1)
}
