import type { ChalkInstance } from 'chalk'
import { pairs, remainderOf, RULES } from '../model/balance.ts'
import { measured, type MeasuredNode, type MeshSnapshot, type NodeState } from '../mesh/snapshot.ts'
import type { Pressure } from '../machine/measurement.ts'
import { hasJustArrived, type Marks } from '../machine/reservations/reservations.ts'
import { signed, TRIT_NAMES } from '../model/trit.ts'
import { duration } from '../base/duration.ts'
import { bar } from './bar.ts'
import { tritStyle } from './palette.ts'
import { table, type Cell, type Column } from './table.ts'

export type MeshView = { colours: ChalkInstance; width: number; connections: boolean }

const BAR_CELLS = 10

/** The lines of `mesh-balance`: a row a node, what was left out, Σ, the rule, and who would send to whom. */
export async function meshLines(mesh: MeshSnapshot, view: MeshView): Promise<string[]> {
  return [
    ...(await meshRows(mesh, view)),
    ...leftOut(mesh.nodes, view.colours),
    '',
    ...conclusion(mesh, view.colours),
  ]
}

/** The rows alone: what they come to can't be told before all are there. */
export async function meshRows(mesh: MeshSnapshot, view: MeshView): Promise<string[]> {
  const shown = mesh.nodes.filter(({ outcome }) => outcome !== 'skipped')
  const columns: Column[] = [
    { head: 'NODE', shrinks: true },
    { head: 'TRIT' },
    ...(view.connections ? [{ head: 'CONNECTION', optional: 4 }] : []),
    { head: 'LOAD1', align: 'right' },
    { head: 'CPUS', align: 'right' },
    { head: 'RATIO', align: 'right' },
    { head: '', optional: 3 },
    { head: 'UPTIME', align: 'right', optional: 1 },
    { head: 'PSI 10s/60s', align: 'right', optional: 2 },
    { head: '', shrinks: true },
  ]
  const rows = shown.map((node) => row(node, view))
  return await table(columns, rows, view.width, view.colours.dim)
}

function row(node: NodeState, { colours, connections }: MeshView): Cell[] {
  const name = { text: node.self ? `${node.name} (here)` : node.name, style: colours.bold }
  const link = connections ? [connectionText(node)] : []
  if (node.outcome === 'ok') {
    const { tritCell, numbers } = measuredCells(node, colours)
    return [name, tritCell, ...link, ...numbers]
  }
  const outcome = { text: node.outcome, style: node.outcome === 'offline' ? colours.dim : colours.magenta }
  return [name, outcome, ...link, { text: node.reason, style: colours.dim, spans: true }]
}

function measuredCells(node: MeasuredNode, colours: ChalkInstance): { tritCell: Cell; numbers: Cell[] } {
  const { trit, load1, cpus, ratio, uptimeSeconds, pressure, receiver } = node
  const style = tritStyle(colours, trit)
  const numbers = [
    load1.toFixed(2),
    String(cpus),
    ratio.toFixed(2),
    { text: bar(ratio, BAR_CELLS), style },
    uptimeSeconds === undefined ? '' : duration(uptimeSeconds),
    pressure ? pressureText(pressure) : '',
    {
      text: [receiver ? marksText(receiver) : '', mayUse(node)].filter((text) => text !== '').join('; '),
      style: colours.magenta,
    },
  ]
  return { tritCell: { text: `${signed(trit).padStart(2)} ${TRIT_NAMES[trit]}`, style }, numbers }
}

/** Over 10 and over 60 seconds. */
export function pressureText({ some10, some60 }: Pressure): string {
  return `${some10?.toFixed(0) ?? '–'}/${some60.toFixed(0)} %`
}

/** What of its CPUs the session that was asked may use, where that is less than all. */
export function mayUse({ usableCpus, quotaCpus }: MeasuredNode): string {
  const least = Math.min(usableCpus ?? Infinity, quotaCpus ?? Infinity)
  if (least === Infinity) return ''
  const why = least === quotaCpus ? 'quota of its control group' : 'affinity mask'
  return `here ${least} of them may be used: ${why}`
}

/** Whether its owner has closed it, and who is about to use it. */
export function marksText(marks: Marks): string {
  const { closed, reserved } = marks
  if (closed !== undefined) return `closed: ${closed}`
  if (reserved) return `reserved, ${duration(reserved.secondsLeft)} left`
  return hasJustArrived(marks) ? 'work has just arrived' : ''
}

function connectionText({ connection, self }: NodeState): string {
  if (self || !connection) return self ? '' : 'not known'
  const over = connection.over === undefined ? '' : ` ${connection.over}`
  return `${signed(connection.trit).padStart(2)} ${connection.via}${over}`
}

/** What can't take part, by reason: a tailnet may hold hundreds of exit nodes. */
export function leftOut(nodes: readonly NodeState[], colours: ChalkInstance): string[] {
  const byReason = new Map<string, string[]>()
  for (const node of nodes)
    if (node.outcome === 'skipped')
      byReason.set(node.reason, [...(byReason.get(node.reason) ?? []), node.name])
  return [...byReason].map(([reason, names]) => {
    const some = names.slice(0, 3).join(', ')
    const more = names.length > 3 ? ` and ${names.length - 3} more` : ''
    return colours.dim(`left out: ${some}${more}: ${reason}`)
  })
}

export function conclusion(mesh: MeshSnapshot, colours: ChalkInstance): string[] {
  const { sum, invariantHolds, rule, moves, nodes } = mesh
  if (sum === undefined || rule === undefined)
    return [colours.bold('no machine gave a measurement: there is no Σ, and no rule applies')]
  const invariant = invariantHolds
    ? 'the invariant Σ ≡ 0 (mod 3) holds'
    : `Σ ≡ ${remainderOf(sum)} (mod 3), the invariant does not hold`
  const lines = [
    `Σ = ${signed(sum)}: ${invariant}`,
    `Rule ${rule}: ${colours.bold(RULES[rule])}`,
    ...moves.map(({ from, to }) => `  ${from} → ${to}`),
  ]
  if (rule === 1 && moves.length === 0) lines.push('  but no machine that takes work is MINUS: none has room')
  const urgent = rule === 1 ? [] : pairs(measured(nodes))
  const overloaded = urgent.map(
    ({ from, to }) => `  ${from} is PLUS all the same, and ${to} has room for some of its work`,
  )
  return [...lines, ...overloaded]
}
