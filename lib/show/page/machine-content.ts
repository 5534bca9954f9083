import { bytesText } from '../../base/bytes.ts'
import { duration } from '../../base/duration.ts'
import { plain } from '../../base/text.ts'
import { nodeStates } from '../../mesh/snapshot.ts'
import { suspects, type Suspect } from '../../model/suspects.ts'
import { signed, tritOf } from '../../model/trit.ts'
import { rowOf, type Machine } from './mesh-content.ts'
import type { Content, Row } from '../../../verbs/web/news.ts'

const MOST_PROCESSES = 25

/** The page of one machine: what is known of it, and which of its processes are to blame for the load. */
export function machineContent(machine: Machine, now: Date): Content {
  const { report, processes } = machine
  const [state] = report ? nodeStates([report]) : []
  const rows = state ? [rowOf(machine, state, now)] : []
  const list =
    report?.outcome === 'ok' && processes
      ? suspects(
          processes.list,
          tritOf(report.measurement.load1, report.measurement.cpus),
          MOST_PROCESSES,
        ).map(processRow)
      : []
  return {
    texts: {
      processesKnown: list.length > 0 ? '' : 'Its processes are not known now.',
    },
    lists: {},
    tables: {
      machines: { rows, orders: { name: rows.map(({ key }) => key) } },
      processes: { rows: list, orders: { name: list.map(({ key }) => key) } },
    },
  }
}

/** Whether a machine is known to run such a process, which is called as its row calls it. */
export function runs(machine: Machine | undefined, pid: number, command: string): boolean {
  return machine?.processes?.list.some((each) => each.pid === pid && nameOf(each) === command) ?? false
}

function nameOf({ command }: { command: string }): string {
  return plain(command, 60)
}

function processRow(suspect: Suspect): Row {
  const { pid, user, cpuPercent, memPercent, rssBytes, runtimeHours } = suspect
  const { score, terms, scumTrit, action, inScumClass } = suspect
  return {
    key: String(pid),
    level: inScumClass ? LEVELS[scumTrit] : 'none',
    pid: String(pid),
    user: plain(user, 32),
    command: nameOf(suspect),
    cpu: `${cpuPercent.toFixed(1)} %`,
    memory: `${memPercent.toFixed(1)} %`,
    rss: bytesText(rssBytes),
    time: duration(runtimeHours * 3600),
    score: score.toFixed(2),
    terms: [terms.cpu, terms.mem, terms.runtime].map((term) => term.toFixed(2)).join(' + '),
    trit: signed(scumTrit),
    action,
  }
}

const LEVELS = { '1': 'plus', '0': 'ergodic', '-1': 'minus' } as const
