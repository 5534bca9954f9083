import { bytesText } from '../../base/bytes.ts'
import { duration } from '../../base/duration.ts'
import { plain } from '../../base/text.ts'
import type { MeasuredNode, NodeState } from '../../mesh/snapshot.ts'
import { busiestOf, type Process } from '../../model/process.ts'
import { signed, TRIT_NAMES, type Trit } from '../../model/trit.ts'
import { marksText, mayUse } from '../mesh.ts'
import type { Row } from '../../../verbs/web/news.ts'
import { SPARK_MINUTES, sparkPath } from './spark.ts'

/** What a row of a machine is made of. */
export type Seen = {
  state: NodeState
  /** Absent where its measurement is as new as it should be. */
  ageSeconds?: number
  /** The ratio over the last minutes, the oldest first. */
  ratios: readonly (number | undefined)[]
  processes?: readonly Process[]
}

const LEVELS = { '1': 'plus', '0': 'ergodic', '-1': 'minus' } as const satisfies Record<`${Trit}`, string>
/** For those who see no colours. */
const SIGNS = { '1': '▲', '0': '●', '-1': '▽' } as const satisfies Record<`${Trit}`, string>

const NOTHING = { ratioText: '', load: '', waiting: '', memory: '', busiest: '' }

/** A machine as the page shows it: text that is safe to show, and numbers and paths for its drawings. */
export function machineRow({ state, ageSeconds, ratios, processes = [] }: Seen): Row {
  const row = {
    key: plain(state.name, 100),
    name: plain(state.name, 100),
    link: machineLink(state.name),
    here: state.self ? 'here' : '',
    age: ageSeconds === undefined ? '' : `measured ${duration(ageSeconds)} ago`,
    spark: sparkPath(ratios),
    sparkText: sparkText(ratios),
  }
  if (state.outcome !== 'ok') {
    const { outcome, reason } = state
    return { ...row, ...NOTHING, level: 'none', sign: '×', state: outcome, ratio: '', note: plain(reason) }
  }
  return { ...row, ...measuredCells(state, processes) }
}

function measuredCells(node: MeasuredNode, processes: readonly Process[]) {
  const { trit, ratio, load1, cpus, pressure, availableBytes, receiver } = node
  return {
    level: LEVELS[trit],
    sign: SIGNS[trit],
    state: `${signed(trit)} ${TRIT_NAMES[trit]}`,
    ratio,
    ratioText: ratio.toFixed(2),
    load: `${load1.toFixed(2)} on ${cpus}`,
    waiting: pressure?.some10 === undefined ? '' : `${pressure.some10.toFixed(0)} %`,
    memory: availableBytes === undefined ? '' : bytesText(availableBytes),
    busiest: busiestText(processes),
    note: plain([receiver ? marksText(receiver) : '', mayUse(node)].filter((text) => text !== '').join('; ')),
  }
}

export function machineLink(name: string): string {
  return `/machine?name=${encodeURIComponent(name)}`
}

function busiestText(processes: readonly Process[]): string {
  const busiest = busiestOf(processes)
  if (!busiest) return ''
  // The number and its unit stay on one line.
  return `${plain(busiest.command, 40)} ${busiest.cpuPercent.toFixed(0)}\u00A0%`
}

function sparkText(ratios: readonly (number | undefined)[]): string {
  const known = ratios.filter((ratio) => ratio !== undefined)
  if (known.length === 0) return `no measurement in the last ${SPARK_MINUTES} min`
  const [least, most] = [Math.min(...known), Math.max(...known)].map((ratio) => ratio.toFixed(2))
  return `in the last ${SPARK_MINUTES} min from ${least} to ${most}`
}
