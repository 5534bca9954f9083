import { pressureText } from '../mesh.ts'
import type { ChalkInstance } from 'chalk'
import { bytesText } from '../../base/bytes.ts'
import { duration } from '../../base/duration.ts'
import { ONLY_OWN } from '../../machine/processes.ts'
import type { Observed } from '../../mesh/observer/observed.ts'
import type { NodeState } from '../../mesh/snapshot.ts'
import { suspects, type Suspect } from '../../model/suspects.ts'
import { signed, tritOf, TRIT_NAMES } from '../../model/trit.ts'
import { tritStyle } from '../palette.ts'
import { columnsThatFit, type Column } from './columns.ts'
import { ageText } from './machines-page.ts'
import type { Act, Scene } from './scene.ts'
import { fit, sparkline } from './text.ts'

const HISTORY_MS = 30 * 60_000
const MOST_SUSPECTS = 200

/** The processes of a machine, those to be looked at first before the others; none where there is no measurement. */
export function suspectsOf({ report, processes }: Observed): Suspect[] {
  if (report?.outcome !== 'ok' || !processes) return []
  const { load1, cpus } = report.measurement
  return suspects(processes.list, tritOf(load1, cpus), MOST_SUSPECTS)
}

/** What is known of one machine, above its processes: three lines. */
export function machineLines(
  scene: Scene,
  observed: Observed,
  state: NodeState | undefined,
  width: number,
  colours: ChalkInstance,
): string[] {
  const { node, history } = observed
  const name = `${node.name}${node.self ? ' (here)' : ''}`
  const spark = sparkline(history.ratios(scene.nowMs, HISTORY_MS, Math.max(1, Math.min(90, width - 8))))
  const past = fit(`30 min ${spark}`, width)
  const old = observed.late ? `, ${ageText(observed, scene.nowMs)}` : ''
  if (!state) return [colours.bold(fit(`${name}: asking`, width)), '', past]
  if (state.outcome !== 'ok') {
    const was = observed.measuredAtMs === undefined ? '' : `measured last ${ageText(observed, scene.nowMs)}`
    return [colours.bold(fit(`${name}: ${state.outcome}: ${state.reason}`, width)), fit(was, width), past]
  }
  const { trit, load1, load5, load15, cpus, ratio, pressure, availableBytes, uptimeSeconds, receiver } = state
  const load = `${load1.toFixed(2)} ${load5.toFixed(2)} ${load15.toFixed(2)} on ${cpus} CPU${cpus === 1 ? '' : 's'}`
  const title = `${name}: ${signed(trit)} ${TRIT_NAMES[trit]}, ratio ${ratio.toFixed(2)}, load ${load}${old}`
  const parts = [
    pressure ? `PSI ${pressureText(pressure)}` : '',
    availableBytes === undefined ? '' : `${bytesText(availableBytes)} free`,
    uptimeSeconds === undefined ? '' : `up ${duration(uptimeSeconds)}`,
    receiver?.closed === undefined ? '' : `closed: ${receiver.closed}`,
    receiver?.reserved ? `reserved, ${duration(receiver.reserved.secondsLeft)} left` : '',
    observed.processes?.onlyOwn ? ONLY_OWN : '',
  ]
  const style = observed.late ? colours.dim : tritStyle(colours, trit)
  return [
    colours.bold(style(fit(title, width))),
    fit(parts.filter((part) => part !== '').join('; '), width),
    past,
  ]
}

function columnsFor(width: number): Column[] {
  const wanted: Column[] = [
    { key: 'pid', head: 'PID', width: 7, right: true },
    { key: 'command', head: 'COMMAND', width: 8 },
    { key: 'cpu', head: 'CPU%', width: 5, right: true },
    { key: 'score', head: 'SCORE', width: 5, right: true },
    { key: 'terms', head: '=CPU+MEM +TIME', width: 14, right: true },
    { key: 'action', head: 'ACTION', width: 8 },
    { key: 'mem', head: 'MEM%', width: 5, right: true },
    { key: 'user', head: 'USER', width: 9 },
    { key: 'trit', head: 'T', width: 2, right: true },
    { key: 'rss', head: 'RSS', width: 8, right: true },
    { key: 'time', head: 'RUN TIME', width: 11, right: true },
  ]
  const order = ['pid', 'user', 'command', 'cpu', 'mem', 'rss', 'time', 'score', 'terms', 'trit', 'action']
  const grows = [
    ['command', 16],
    ['action', 60],
  ] as const
  return columnsThatFit(wanted, width - 2, grows, order)
}

/** The line of heads, and a line for each of the processes. */
export function processLines(
  scene: Scene,
  host: string,
  processes: readonly Suspect[],
  view: { width: number; colours: ChalkInstance; chosen: number | undefined },
): { head: string; lines: string[] } {
  const { width, colours, chosen } = view
  const columns = columnsFor(width)
  const head = columns
    .map(({ head: text, width: space, right }) => fit(text, space, right && 'right'))
    .join(' ')
  const lines = processes.map((suspect) => {
    const act = scene.acts.find((each) => each.host === host && each.pid === suspect.pid)
    const cells = columns.map(({ key, width: space, right }) =>
      fit(cellText(key, suspect, act), space, right && 'right'),
    )
    const line = cells.join(' ')
    if (suspect.pid === chosen) return colours.inverse(`> ${line}`)
    return `  ${suspect.inScumClass ? line : colours.dim(line)}`
  })
  return { head: colours.dim(`  ${fit(head, width - 2)}`), lines }
}

function cellText(key: string, suspect: Suspect, act: Act | undefined): string {
  const { pid, user, command, cpuPercent, memPercent, rssBytes, runtimeHours, score, terms } = suspect
  if (key === 'pid') return String(pid)
  if (key === 'user') return user
  if (key === 'command') return command
  if (key === 'cpu') return cpuPercent.toFixed(1)
  if (key === 'mem') return memPercent.toFixed(1)
  if (key === 'rss') return bytesText(rssBytes)
  if (key === 'time') return duration(runtimeHours * 3600)
  if (key === 'score') return score.toFixed(2)
  if (key === 'terms') return [terms.cpu, terms.mem, terms.runtime].map((term) => term.toFixed(2)).join('+')
  if (key === 'trit') return signed(suspect.scumTrit)
  return act ? act.says : suspect.action
}
