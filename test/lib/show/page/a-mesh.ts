import type { Report } from '../../../../lib/mesh/node.ts'
import { History } from '../../../../lib/mesh/observer/history.ts'
import type { Machine } from '../../../../lib/show/page/mesh-content.ts'
import type { Watcher } from '../../../../lib/show/page/site.ts'
import type { Process } from '../../../../lib/model/process.ts'
import type { MeshNode } from '../../../../lib/mesh/node.ts'

const ROUND_MS = 2000

export const nodeNamed = (name: string, self = false): MeshNode => ({
  name,
  address: '100.64.0.1',
  os: 'linux',
  self,
})

export const process = (command: string, cpuPercent: number, pid = 100): Process => ({
  pid,
  user: 'operator',
  command,
  cpuPercent,
  memPercent: 1.5,
  rssBytes: 48 * 1024 * 1024,
  runtimeHours: 3.2,
})

type Known = Machine & { node: MeshNode }

/** A machine with a history of ten minutes that ends at its load. */
export function measured(
  name: string,
  load1: number,
  cpus: number,
  { self = false, closed, list = [], wave = 0.2, nowMs = Date.now() }: Partial<Shape> = {},
): Known {
  const node = nodeNamed(name, self)
  const report: Report = {
    node,
    outcome: 'ok',
    ageMs: 0,
    measurement: {
      os: 'linux',
      load1,
      load5: load1,
      load15: load1,
      cpus,
      uptimeSeconds: 1000,
      pressure: { some10: (load1 / cpus) * 20, some60: 1 },
      availableBytes: 3.2 * 1024 ** 3,
      ...(closed === undefined ? {} : { receiver: { closed, arrivals: [] } }),
    },
  }
  return {
    node,
    report,
    measuredAtMs: nowMs,
    late: false,
    processes: { list },
    history: past(load1 / cpus, wave, nowMs),
  }
}
type Shape = { self: boolean; closed: string; list: Process[]; wave: number; nowMs: number }

/** A machine that gave no measurement. */
export function failed(
  name: string,
  reason: string,
  outcome: 'unreachable' | 'skipped' = 'unreachable',
): Known {
  const node = nodeNamed(name)
  return { node, report: { node, outcome, reason }, late: true, history: new History(ROUND_MS) }
}

function past(ratio: number, wave: number, nowMs: number): History {
  const history = new History(ROUND_MS)
  for (let index = 300; index >= 0; index -= 1) {
    const factor = 1 + wave * Math.sin(index / 17) * Math.cos(index / 41)
    history.add({ atMs: nowMs - index * ROUND_MS, ratio: Math.max(0, ratio * factor) })
  }
  return history
}

/** A mesh that a test changes. */
export class AMesh implements Watcher {
  machines = new Map<string, Known>()
  mesh = { from: 'tailnet' as const }

  constructor(...machines: Known[]) {
    this.put(...machines)
  }

  put(...machines: Known[]): void {
    for (const machine of machines) this.machines.set(machine.node.name, machine)
  }

  lookAt = () => () => {}
}
