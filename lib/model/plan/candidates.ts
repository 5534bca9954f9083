import { PROCESS_REST_SECONDS } from '../policy.ts'
import { judge, type Action } from '../scum.ts'
import { demandOf, REST_MS, type Forecast } from './forecast.ts'
import type { PlanProcess } from './snapshot.ts'

/** A process on which the decision matrix acts, with its score and the CPUs that it would use elsewhere. */
export type Candidate = { from: Forecast; process: PlanProcess; score: number; cpu: number }

/**
 * The processes for which the decision matrix says this, the highest score first. Each is judged by what it would
 * use with room: on a node with twice as many tasks as CPUs nobody scores enough.
 */
export function candidates(nodes: readonly Forecast[], wanted: Action): Candidate[] {
  return nodes
    .flatMap((from) => from.node.processes.flatMap((process) => candidate(from, process, wanted) ?? []))
    .toSorted(
      (a, b) => b.score - a.score || compare(a.from.name, b.from.name) || a.process.pid - b.process.pid,
    )
}

function candidate(from: Forecast, process: PlanProcess, wanted: Action): Candidate | undefined {
  const cpu = demandOf(process, from)
  const { score, action } = judge({ ...process, cpuPercent: cpu * 100 }, from.trit)
  return action === wanted ? { from, process, score, cpu } : undefined
}

/** Why a process is neither moved nor held back, whatever its score; undefined when it may be. */
export function leftAlone({ guarded, held, movedAgoMs }: PlanProcess): string | undefined {
  if (guarded !== undefined) return guarded
  if (held) return `it is ${held.how} already`
  if (movedAgoMs !== undefined && movedAgoMs < REST_MS)
    return `it was moved or released in the last ${PROCESS_REST_SECONDS / 60} minutes`
  return undefined
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
