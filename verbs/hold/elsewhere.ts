import { Failure, InputError, Refused } from '../../lib/base/errors.ts'
import { guard } from '../../lib/machine/guard.ts'
import type { Family } from '../../lib/machine/process-tree.ts'
import { parseRecord, type HoldRecord } from '../../lib/machine/throttle/record.ts'
import { hostOf, type Host, type Reach } from '../../lib/mesh/remote/host.ts'
import { endThere } from '../../lib/work/holding/end-elsewhere.ts'
import { holdThere, releaseThere } from '../../lib/work/rebalance/hold-elsewhere.ts'
import { askMesh, type MeshInput } from '../see/mesh.ts'
import { reachOf } from '../see/reach.ts'
import type { Deps } from '../verb.ts'

/** Another machine as it was found, and how scripts run there. */
export type Elsewhere = { host: Host; reach: Reach; family: Family; commands: ReadonlyMap<number, string> }
export type ProcessThere = { pid: number; start: string; command: string }

const WINDOW_MS = 100
const STEP_MS = 30_000

/**
 * The machine of this name, as it is now; undefined where that is this one.
 *
 * @throws InputError; Failure where it gives no measurement; Refused where it is no Linux machine
 */
export async function elsewhere(name: string, input: MeshInput, deps: Deps): Promise<Elsewhere | undefined> {
  const [report] = await askMesh(input, deps, { windowMs: WINDOW_MS, family: true, host: name })
  if (!report) throw new InputError('host', 'is not in the mesh')
  if (report.node.self) return undefined
  if (report.outcome !== 'ok') throw new Failure(`${name}: ${report.outcome}: ${report.reason}`)
  const { family, processes = [], node } = report
  if (!family)
    throw new Refused(`${name}: it is no Linux machine: nothing is done to its processes from here`)
  const commands = new Map(processes.map(({ pid, command }) => [pid, command]))
  return { host: hostOf(node), reach: await reachOf(input), family, commands }
}

/** A process there to which something may be done. @throws Refused */
export function processThere(
  { host, family, commands }: Elsewhere,
  pid: number,
  force: boolean,
): ProcessThere {
  const kin = family.kin.get(pid)
  const command = commands.get(pid)
  if (!kin || command === undefined) throw new Refused(`${host.name}: there is no process with PID ${pid}`)
  const reason = guard({ pid, command, ...kin, uid: kin.uid ?? -1 }, family.asker, force)
  if (reason !== undefined) throw new Refused(`${host.name}: ${reason}`)
  return { pid, start: kin.start, command }
}

/** Holds it and its children back. @throws Refused, Failure */
export async function throttleThere(
  { host, reach, family }: Elsewhere,
  target: ProcessThere,
  percent: number,
  signal: AbortSignal,
): Promise<{ means: HoldRecord['means']; processes: number }> {
  const limits = { timeoutMs: STEP_MS, signal }
  const held = await holdThere(host, { ...target, boot: family.boot }, percent, reach, limits)
  if (held.state !== 'done')
    throw new Refused(
      `${host.name}: PID ${target.pid} ${held.state === 'gone' ? 'has ended' : 'is held already'}`,
    )
  const tree = new Set([target.pid])
  // A set is walked with what is added meanwhile.
  for (const member of tree) for (const [pid, { parent }] of family.kin) if (parent === member) tree.add(pid)
  return { means: held.means, processes: tree.size }
}

/** Lets go what is held there of this PID. @throws Refused where nothing is; Failure */
export async function letGoThere(
  { host, reach, family }: Elsewhere,
  pid: number,
  signal: AbortSignal,
): Promise<{ record: HoldRecord; outcome: 'released' | 'gone' }> {
  const record = family.held.flatMap((line) => parseRecord(line) ?? []).find((each) => each.pid === pid)
  if (!record) throw new Refused(`${host.name}: PID ${pid} is not held`)
  const { state } = await releaseThere(host, record, reach, { timeoutMs: STEP_MS, signal })
  return { record, outcome: state === 'done' ? 'released' : 'gone' }
}

/** Ends processes there, kindly first. @throws Failure where one can't be signalled */
export async function killThere(
  { host, reach }: Elsewhere,
  targets: readonly ProcessThere[],
  graceSeconds: number,
  signal: AbortSignal,
) {
  return await Promise.all(
    targets.map(async ({ pid, start, command }) => ({
      pid,
      command,
      outcome: await endThere(host, { pid, start }, graceSeconds, reach, signal),
    })),
  )
}
