import { Chalk } from 'chalk'
import { plain } from '../../base/text.ts'
import { snapshotOf } from '../../mesh/snapshot.ts'
import type { Report } from '../../mesh/node.ts'
import type { Mesh } from '../../mesh/nodes.ts'
import { byName } from '../../model/name-order.ts'
import type { Process } from '../../model/process.ts'
import { conclusion, leftOut } from '../mesh.ts'
import { machineRow } from './machine-row.ts'
import { SPARK_MINUTES, SPARK_PARTS } from './spark.ts'
import type { Content, Row } from '../../../verbs/web/news.ts'

/** A machine as whoever watches the mesh knows it. */
export type Machine = {
  /** Absent until it has answered or failed first. */
  report?: Report
  measuredAtMs?: number
  /** What is known of it is older than it should be. */
  late: boolean
  processes?: { list: readonly Process[] }
  history: { ratios: (nowMs: number, spanMs: number, parts: number) => (number | undefined)[] }
}

/** What the page of the mesh shows. */
export type Watched = {
  mesh: Pick<Mesh, 'from' | 'warning'>
  machines: Iterable<Machine>
  underWay: UnderWay
}

/** What this machine has under way elsewhere. */
export type UnderWay = {
  migrations: readonly {
    id: string
    pid: number
    command: string
    from: string
    to: string
    state: string
    step?: string
    outcome?: string
  }[]
  jobs: readonly { id: string; title: string; state: string; node: string }[]
}

const PART_MS = (SPARK_MINUTES * 60_000) / SPARK_PARTS
const NO_COLOURS = new Chalk({ level: 0 })

/** The page of the mesh, as it is at a time. */
export function meshContent({ mesh, machines, underWay }: Watched, now: Date): Content {
  const all = [...machines].toSorted(thisFirst)
  const reports = all.flatMap(({ report }) => (report ? [report] : []))
  const snapshot = snapshotOf(reports, now, mesh)
  const states = new Map(snapshot.nodes.map((state) => [state.name, state]))
  const rows = all.flatMap((machine): Row[] => {
    const state = states.get(machine.report?.node.name ?? '')
    return state && state.outcome !== 'skipped' ? [rowOf(machine, state, now)] : []
  })
  const shown = new Set(rows.map(({ key }) => key))
  const fullest = snapshot.nodes.map(({ name }) => plain(name, 100)).filter((name) => shown.has(name))
  const moves = underWayRows(underWay)
  const waiting = all.length - reports.length
  return {
    texts: {},
    lists: {
      conclusion: conclusion(snapshot, NO_COLOURS).map((line) => plain(line.trim())),
      notes: [
        ...(snapshot.warning === undefined ? [] : [plain(snapshot.warning)]),
        ...(waiting > 0 ? [`${waiting} more ${waiting === 1 ? 'machine is' : 'machines are'} asked`] : []),
        ...leftOut(snapshot.nodes, NO_COLOURS).map((line) => plain(line)),
      ],
    },
    tables: {
      machines: { rows, orders: { name: rows.map(({ key }) => key), load: fullest } },
      underWay: {
        rows: moves,
        orders: { name: moves.map(({ key }) => key) },
      },
    },
  }
}

/** One machine of it. */
export function rowOf(
  { late, measuredAtMs, processes, history }: Machine,
  state: Parameters<typeof machineRow>[0]['state'],
  now: Date,
): Row {
  const old = late && measuredAtMs !== undefined
  return machineRow({
    state,
    ...(old ? { ageSeconds: Math.max(0, (now.getTime() - measuredAtMs) / 1000) } : {}),
    ratios: drawn(history.ratios(now.getTime(), PART_MS * (SPARK_PARTS + 1), SPARK_PARTS + 1)),
    ...(processes ? { processes: processes.list } : {}),
  })
}

/** This machine first, then the others by their names. */
function thisFirst(a: Machine, b: Machine): number {
  const [one, other] = [a.report?.node, b.report?.node]
  return (
    Number(other?.self ?? false) - Number(one?.self ?? false) || byName(one?.name ?? '', other?.name ?? '')
  )
}

/** Without the part that is not over yet: a drawing then changes once in ten seconds, not with each measurement. */
function drawn(ratios: (number | undefined)[]): (number | undefined)[] {
  const over = ratios.slice(0, -1)
  return over.some((ratio) => ratio !== undefined) ? over : ratios
}

function underWayRows({ migrations, jobs }: UnderWay): Row[] {
  const moves = migrations.map(({ id, pid, command, from, to, state, step, outcome }) => ({
    key: `migration ${plain(id, 100)}`,
    level: state === 'in doubt' || outcome === 'doubt' ? 'plus' : 'none',
    what: plain(`${command} (${pid})`, 60),
    way: plain(`${from} → ${to}`, 140),
    state: plain(outcome ?? (step === undefined ? state : `${state}: ${step}`), 100),
  }))
  const runs = jobs.map(({ id, title, state, node }) => ({
    key: `job ${plain(id, 100)}`,
    level: 'none',
    what: plain(title, 60),
    way: plain(`→ ${node}`, 100),
    state: plain(state, 40),
  }))
  return [...moves, ...runs]
}
