import type { ChalkInstance } from 'chalk'
import { signed, TRIT_NAMES, type Trit } from '../model/trit.ts'
import type { Suspect } from '../model/suspects.ts'
import { duration } from '../base/duration.ts'
import { tritStyle } from './palette.ts'
import { table, type Cell, type Column } from './table.ts'

export type NodeSuspects = { name: string; trit: Trit; processes: Suspect[] }

const COLUMNS: Column[] = [
  { head: 'PID', align: 'right' },
  { head: 'USER', shrinks: true, optional: 1 },
  { head: 'COMMAND', shrinks: true },
  { head: 'CPU %', align: 'right' },
  { head: 'MEM %', align: 'right', optional: 0 },
  { head: 'RSS', align: 'right', optional: 3 },
  { head: 'RUN TIME', align: 'right', optional: 2 },
  { head: 'SCORE', align: 'right' },
  { head: '= CPU + MEM + TIME', align: 'right', optional: 4 },
  { head: 'TRIT', align: 'right', optional: 0.5 },
  { head: 'ACTION' },
]

/** The lines of `scum-view` for one node: its trit, then a row a process with the terms of its score. */
export async function scumLines(
  node: NodeSuspects,
  colours: ChalkInstance,
  width: number,
): Promise<string[]> {
  const title = `${colours.bold(node.name)} ${tritStyle(colours, node.trit)(`${signed(node.trit)} ${TRIT_NAMES[node.trit]}`)}`
  const rows = node.processes.map((process) => row(process, colours))
  return [title, ...(await table(COLUMNS, rows, width, colours.dim))]
}

function row(suspect: Suspect, colours: ChalkInstance): Cell[] {
  const { terms, scumTrit, inScumClass, action } = suspect
  const style = inScumClass ? colours : colours.dim
  const parts = [terms.cpu, terms.mem, terms.runtime].map((term) => term.toFixed(2)).join(' + ')
  return [
    String(suspect.pid),
    suspect.user,
    { text: suspect.command, style: inScumClass ? colours.bold : colours.dim },
    suspect.cpuPercent.toFixed(1),
    suspect.memPercent.toFixed(1),
    size(suspect.rssBytes),
    duration(suspect.runtimeHours * 3600),
    suspect.score.toFixed(2),
    { text: parts, style: colours.dim },
    { text: signed(scumTrit), style: tritStyle(colours, scumTrit) },
    { text: action, style: action === 'none' ? colours.dim : style },
  ]
}

/** Bytes in the largest binary unit that leaves at least one before the point. */
function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}
