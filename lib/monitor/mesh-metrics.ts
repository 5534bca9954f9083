import { plain } from '../base/text.ts'
import type { MeshSnapshot, NodeState } from '../mesh/snapshot.ts'
import { SCUM_CPU_PERCENT } from '../model/policy.ts'
import type { Process } from '../model/process.ts'
import { escapeLabel, family, scoreFamily } from './metrics.ts'

/** A machine of the mesh, with what is known besides its state. */
export type WatchedNode = {
  state: NodeState
  measuredAtMs?: number
  processes?: readonly Process[]
}

type Samples = readonly (readonly [labels: string, value: number])[]

/**
 * The metrics of a whole mesh, each with its machine as the label `host`: in OpenMetrics 1.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/), or in Prometheus' older text format. Gauges alone, which both
 * formats write alike. What a machine would tell of itself (see `metrics.ts`) has the same name here.
 */
export function meshMetrics(
  nodes: readonly WatchedNode[],
  mesh: Pick<MeshSnapshot, 'sum' | 'rule' | 'invariantHolds'>,
  { nowMs, openMetrics }: { nowMs: number; openMetrics: boolean },
): string {
  const asked = nodes.filter(({ state }) => state.outcome !== 'skipped')
  const of = (value: (node: WatchedNode) => number | undefined): Samples =>
    asked.flatMap((node) => {
      const found = value(node)
      return found === undefined ? [] : [[`{${host(node.state)}}`, found] as const]
    })
  const measured = (value: (state: NodeState & { outcome: 'ok' }) => number | undefined): Samples =>
    of(({ state }) => (state.outcome === 'ok' ? value(state) : undefined))
  const whole = (value: number | undefined): Samples => (value === undefined ? [] : [['', value]])
  return [
    family(
      'node_up',
      'Whether there is a measurement of the machine.',
      of(({ state }) => bit(state.outcome === 'ok')),
    ),
    family(
      'node_fault',
      'Why there is no measurement of the machine.',
      asked.flatMap(({ state }) =>
        state.outcome === 'ok' ? [] : [[`{${host(state)},fault="${state.outcome}"}`, 1] as const],
      ),
    ),
    family(
      'measurement_age_seconds',
      'For how long the last measurement of the machine has been known.',
      of(({ measuredAtMs }) =>
        measuredAtMs === undefined ? undefined : Math.max(0, nowMs - measuredAtMs) / 1000,
      ),
    ),
    family(
      'node_trit',
      'Trit of the machine: 1 overloaded, 0 balanced, -1 has room.',
      measured(({ trit }) => trit),
    ),
    family(
      'load_ratio',
      '1-minute load average over the CPUs of the machine.',
      measured(({ ratio }) => ratio),
    ),
    family(
      'load1',
      '1-minute load average.',
      measured(({ load1 }) => load1),
    ),
    family(
      'load5',
      '5-minute load average.',
      measured(({ load5 }) => load5),
    ),
    family(
      'load15',
      '15-minute load average.',
      measured(({ load15 }) => load15),
    ),
    family(
      'cpus',
      'CPUs that are online.',
      measured(({ cpus }) => cpus),
    ),
    family(
      'cpu_waiting_ratio',
      'Share of the last 10 seconds in which some task waited for a CPU.',
      measured(({ pressure }) => (pressure?.some10 === undefined ? undefined : pressure.some10 / 100)),
    ),
    family(
      'memory_available_bytes',
      'Memory that new work can have without swapping.',
      measured(({ availableBytes }) => availableBytes),
    ),
    family(
      'node_closed',
      'Whether its owner keeps work away.',
      measured(({ receiver }) => bit(receiver?.closed !== undefined)),
    ),
    family(
      'node_reserved',
      'Whether somebody is about to send work there.',
      measured(({ receiver }) => bit(receiver?.reserved !== undefined)),
    ),
    family(
      'scum_processes',
      `Processes that use more than ${SCUM_CPU_PERCENT} % of a CPU.`,
      of(({ state, processes }) =>
        state.outcome === 'ok'
          ? processes?.filter(({ cpuPercent }) => cpuPercent > SCUM_CPU_PERCENT).length
          : undefined,
      ),
    ),
    scoreFamily(
      asked.flatMap(({ state, processes = [] }) =>
        state.outcome === 'ok' ? [{ labels: `${host(state)},`, trit: state.trit, processes }] : [],
      ),
    ),
    family('mesh_balance', 'Sum of the trits of the measured machines.', whole(mesh.sum)),
    family('mesh_rule', 'Rule that applies: 1 migrate, 2 wake idle work, 3 nothing to do.', whole(mesh.rule)),
    family(
      'mesh_invariant',
      'Whether the sum of the trits is divisible by 3.',
      whole(mesh.invariantHolds === undefined ? undefined : bit(mesh.invariantHolds)),
    ),
    openMetrics ? '# EOF\n' : '',
  ].join('')
}

function bit(value: boolean): number {
  return value ? 1 : 0
}

function host({ name }: NodeState): string {
  return `host="${escapeLabel(plain(name, 100))}"`
}
