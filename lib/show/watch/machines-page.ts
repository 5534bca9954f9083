import type { ChalkInstance } from 'chalk'
import { duration } from '../../base/duration.ts'
import { hasJustArrived } from '../../machine/reservations/reservations.ts'
import type { Observed } from '../../mesh/observer/observed.ts'
import { measured, type MeasuredNode, type MeshSnapshot, type NodeState } from '../../mesh/snapshot.ts'
import { pairs, remainderOf, RULES } from '../../model/balance.ts'
import { byName } from '../../model/name-order.ts'
import { busiestOf } from '../../model/process.ts'
import { signed, TRIT_NAMES } from '../../model/trit.ts'
import { bar } from '../bar.ts'
import { tritStyle } from '../palette.ts'
import { columnsThatFit, type Column } from './columns.ts'
import type { Act, Scene } from './scene.ts'
import { fit, shortBytes, sparkline, widthOf } from './text.ts'

/** What the rows can be sorted by: as mesh-balance has them, or by one of what is shown. */
export const SORTS = ['load', 'name', 'memory', 'pressure'] as const
export type Sort = (typeof SORTS)[number]

/** A machine as a row shows it; without a state until it has answered or failed. */
export type Row = { name: string; observed: Observed; state: NodeState | undefined }

/** The span of a sparkline. */
const SPARK_MS = 10 * 60_000

/** The machines whose name has the words of the filter, sorted; those without a measurement come last. */
export function rowsOf({ machines, mesh }: Scene, filter: string, sort: Sort): Row[] {
  const rows = mesh.nodes.flatMap((state): Row[] => {
    const observed = machines.get(state.name)
    return observed && state.outcome !== 'skipped' ? [{ name: state.name, observed, state }] : []
  })
  for (const [name, observed] of machines)
    if (observed.report === undefined) rows.push({ name, observed, state: undefined })
  const words = filter.toLowerCase().split(/\s+/)
  const shown = rows.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
  if (sort === 'load') return shown
  return shown.toSorted((a, b) => sortKey(a, sort) - sortKey(b, sort) || byName(a.name, b.name))
}

function sortKey({ state }: Row, sort: Exclude<Sort, 'load'>): number {
  if (sort === 'name') return 0
  if (state?.outcome !== 'ok') return Number.POSITIVE_INFINITY
  // The least memory and the most pressure first.
  if (sort === 'memory') return state.availableBytes ?? Number.MAX_VALUE
  return -(state.pressure?.some10 ?? -1)
}

/** Columns in the order in which they stand, as many as fit; what matters most is taken first. */
function columnsFor(width: number, longestName: number): Column[] {
  const short = width < 44
  const name = { key: 'name', head: 'NODE', width: Math.min(longestName, short ? 8 : width < 100 ? 12 : 24) }
  const wanted: Column[] = [
    { ...name, width: Math.max(4, name.width) },
    { key: 'trit', head: short ? 'T' : 'TRIT', width: short ? 2 : 10 },
    { key: 'ratio', head: 'RATIO', width: 5, right: true },
    { key: 'bar', head: '', width: 8 },
    { key: 'top', head: 'TOP PROCESS', width: 17 },
    { key: 'memory', head: 'FREE', width: 5, right: true },
    { key: 'spark', head: '10 MIN', width: 12 },
    { key: 'pressure', head: 'PSI%', width: 4, right: true },
    { key: 'jobs', head: 'JOBS', width: 4, right: true },
    { key: 'marks', head: '', width: 12 },
  ]
  const order = ['name', 'trit', 'ratio', 'bar', 'spark', 'pressure', 'memory', 'top', 'jobs', 'marks']
  const grows = [
    ['marks', 24],
    ['top', 26],
    ['spark', 30],
    ['marks', Number.POSITIVE_INFINITY],
  ] as const
  return columnsThatFit(wanted, width - 2, grows, order)
}

export type ListView = {
  width: number
  colours: ChalkInstance
  /** Name of the row that is chosen. */
  chosen: string | undefined
}

/** The line of heads, and a line for each of the rows. */
export function rowLines(
  scene: Scene,
  rows: readonly Row[],
  names: readonly Row[],
  { width, colours, chosen }: ListView,
): { head: string; lines: string[] } {
  const longest = Math.max(4, ...names.map((row) => widthOf(row.name) + (row.observed.node.self ? 2 : 0)))
  const columns = columnsFor(width, longest)
  const head = columns
    .map(({ head: text, width: space, right }) => fit(text, space, right && 'right'))
    .join(' ')
  const lines = rows.map((row) => {
    const isChosen = row.name === chosen
    const ground = isChosen ? colours.inverse : (text: string) => text
    return ground(isChosen ? '> ' : '  ') + rowLine(scene, row, columns, { width, colours, ground })
  })
  return { head: colours.dim(`  ${fit(head, width - 2)}`), lines }
}

function rowLine(
  scene: Scene,
  { name, observed, state }: Row,
  columns: readonly Column[],
  { width, colours, ground }: { width: number; colours: ChalkInstance; ground: (text: string) => string },
): string {
  const shownName = observed.node.self ? `${name} *` : name
  const [nameColumn] = columns
  const first = colours.bold(fit(shownName, nameColumn?.width ?? 0))
  const rest = width - 2 - (nameColumn?.width ?? 0) - 1
  if (!state) return ground(`${first} ${colours.dim(fit('asking', rest))}`)
  if (state.outcome !== 'ok') {
    const text = silentText(state, observed, scene.nowMs)
    const style = state.outcome === 'offline' ? colours.dim : colours.magenta
    return ground(`${first} ${style(fit(text, rest))}`)
  }
  const dim = observed.late ? colours.dim : (text: string) => text
  const style = tritStyle(colours, state.trit)
  const cells = columns.slice(1).map(({ key, width: space, right }) => {
    const text = fit(cellText(key, scene, state, observed, space), space, right && 'right')
    // What is drawn by filled cells would read the other way round with ink and paper changed over.
    const drawn = key === 'bar' || key === 'spark' ? (each: string) => each : ground
    if (text.trim() === '') return drawn(text)
    if (observed.late && key !== 'marks') return drawn(dim(text))
    if (key === 'trit' || key === 'bar') return drawn(style(text))
    return drawn(key === 'marks' ? colours.magenta(text) : text)
  })
  return [ground(first), ...cells].join(ground(' '))
}

function cellText(key: string, scene: Scene, node: MeasuredNode, observed: Observed, space: number): string {
  const { trit, ratio, pressure, availableBytes } = node
  if (key === 'trit') {
    const sign = signed(trit).padStart(2)
    return space < 10 ? sign : `${sign} ${TRIT_NAMES[trit]}`
  }
  if (key === 'ratio') return ratio.toFixed(2)
  if (key === 'bar') return bar(ratio, space)
  if (key === 'spark') return sparkline(observed.history.ratios(scene.nowMs, SPARK_MS, space))
  if (key === 'pressure') return pressure?.some10?.toFixed(0) ?? ''
  if (key === 'memory') return availableBytes === undefined ? '' : shortBytes(availableBytes)
  if (key === 'top') return topText(observed, space)
  if (key === 'jobs') {
    const count = scene.underWay.jobs.filter((job) => job.node === node.name).length
    return count === 0 ? '' : String(count)
  }
  return marksText(scene, node, observed)
}

function topText({ processes }: Observed, space: number): string {
  const top = busiestOf(processes?.list ?? [])
  if (!top) return ''
  const share = `${top.cpuPercent.toFixed(0)}%`
  return `${fit(top.command, space - 6)} ${share.padStart(5)}`
}

function marksText({ acts, nowMs }: Scene, { name, receiver }: MeasuredNode, observed: Observed): string {
  const { closed, reserved } = receiver ?? {}
  const parts = [
    observed.late ? ageText(observed, nowMs) : '',
    ...acts.filter((act) => act.state === 'running').flatMap((act) => actMark(act, name)),
    closed === undefined ? '' : `closed: ${closed}`,
    reserved ? `reserved, ${duration(reserved.secondsLeft)} left` : '',
    receiver && !reserved && hasJustArrived(receiver) ? 'just arrived' : '',
  ]
  return parts.filter((part) => part !== '').join('; ')
}

function actMark({ deed, host, to, pid, says }: Act, name: string): string[] {
  if (to === name) return [`<- PID ${pid} from ${host}: ${says}`]
  if (host === name) return [`${deed} PID ${pid}: ${says}`]
  return []
}

/** Of a machine without a measurement: why, and how it was when it had one. */
function silentText(
  { outcome, reason }: Exclude<NodeState, { outcome: 'ok' }>,
  observed: Observed,
  nowMs: number,
): string {
  const points = [...observed.history.points(nowMs - 30 * 60_000)]
  const last = points.at(-1)
  const was = last ? `; ratio ${last.ratio.toFixed(2)} ${ageText(observed, nowMs)}` : ''
  return `${outcome}: ${reason}${was}`
}

export function ageText({ measuredAtMs }: Observed, nowMs: number): string {
  return measuredAtMs === undefined ? '' : `${duration(Math.max(0, nowMs - measuredAtMs) / 1000)} ago`
}

/** Σ and the invariant, the rule and who would send to whom, and what is left out: three lines. */
export function meshLines(
  scene: Scene,
  shown: { rows: number; filter: string; sort: Sort },
  width: number,
  colours: ChalkInstance,
): string[] {
  const { sum, rule, invariantHolds, moves, nodes, warning } = scene.mesh
  if (sum === undefined || rule === undefined)
    return [
      colours.bold(fit('no machine has given a measurement yet: there is no Σ', width)),
      '',
      countsLine(),
    ]
  const invariant = invariantHolds ? 'the invariant holds' : 'the invariant does not hold'
  const urgent = rule === 1 ? moves : pairs(measured(nodes))
  const whom = urgent.map(({ from, to }) => `${from} -> ${to}`).join(', ')
  const ruleText = `Rule ${rule}: ${RULES[rule]}${whom === '' ? '' : `: ${whom}`}`
  return [
    colours.bold(fit(`Σ = ${signed(sum)}: ≡ ${remainderOf(sum)} (mod 3), ${invariant}`, width)),
    fit(ruleText, width),
    warning === undefined ? countsLine() : colours.magenta(fit(warning, width)),
  ]

  function countsLine(): string {
    const silent = countOf(scene.mesh, ({ outcome }) => outcome !== 'ok' && outcome !== 'skipped')
    const skipped = countOf(scene.mesh, ({ outcome }) => outcome === 'skipped')
    const asking = [...scene.machines.values()].filter(({ report }) => !report).length
    const parts = [
      `${scene.machines.size} machine${scene.machines.size === 1 ? '' : 's'}`,
      asking > 0 ? `${asking} being asked` : '',
      silent > 0 ? `${silent} without a measurement` : '',
      skipped > 0 ? `${skipped} left out` : '',
      shown.sort === 'load' ? '' : `sorted by ${shown.sort}`,
      shown.filter === '' ? '' : `${shown.rows} match "${shown.filter}"`,
      scene.hint ?? '',
    ]
    return colours.dim(fit(parts.filter((part) => part !== '').join(', '), width))
  }
}

function countOf({ nodes }: MeshSnapshot, test: (node: NodeState) => boolean): number {
  return nodes.filter((node) => test(node)).length
}
