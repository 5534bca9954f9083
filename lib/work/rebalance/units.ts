import type { Family } from '../../machine/process-tree.ts'
import type { Process } from '../../model/process.ts'
import type { PlanProcess } from '../../model/plan/snapshot.ts'
import { KEEPERS, SHELLS } from '../../machine/ancestry.ts'
import { guard } from '../../machine/guard.ts'

/** What was started as one: the process at its top, and all that it has begun. One unit moves or is held as a whole. */
export type Unit = PlanProcess & { members: number[]; start: string }

/**
 * Groups the processes of a machine into units: what a person has started as one piece of work. A process belongs to its
 * parent's unit unless the parent
 * - is the first process of the machine, or another user's;
 * - is a keeper of others' work, such as cron or sshd: what it has begun is not its own;
 * - is this program's own session there, by which it asks;
 * - is a shell with a terminal: a person types there, and each command is work of its own. A shell without a terminal
 *   runs a script, and the script and its commands are one.
 *
 * @param held PIDs of processes that are held back: each is a unit of its own, because it is released by itself
 * @param withTerminals whether what has a terminal may move with it
 */
export function unitsOf(
  processes: readonly Process[],
  family: Family,
  held: ReadonlySet<number> = new Set(),
  withTerminals = false,
): Unit[] {
  const { kin } = family
  const known = new Map(processes.map((process) => [process.pid, process]))
  const tops = topsOf(known, family, held)
  const units = new Map<number, Unit>()
  for (const process of processes) {
    const top = tops.get(process.pid) ?? process.pid
    const unit = units.get(top) ?? emptyUnit(known.get(top) ?? process, kin.get(top)?.start ?? '')
    units.set(top, unit)
    add(unit, process)
    if (!withTerminals && (kin.get(process.pid)?.terminal ?? 0) !== 0)
      unit.immovable = 'it has a terminal, which moves only with --with-terminals'
  }
  const above = (pid: number) => units.get(tops.get(kin.get(pid)?.parent ?? 0) ?? 0)
  for (const { pid } of units.values()) {
    const outer = above(pid)
    if (outer) outer.immovable ??= `it has started PID ${pid}, which is work of its own`
  }
  // To move or hold a unit reaches all that it has begun, also what is a unit of its own: if one of those must not be
  // touched, neither must the units above it.
  for (const [unit, why] of guardedUnits(units.values(), known, family))
    for (let outer: Unit | undefined = unit; outer && outer.guarded === undefined; outer = above(outer.pid))
      outer.guarded = why
  return [...units.values()]
}

/** The top of the unit of each process. */
function topsOf(
  known: ReadonlyMap<number, Process>,
  family: Family,
  held: ReadonlySet<number>,
): Map<number, number> {
  const tops = new Map<number, number>()
  for (const pid of known.keys()) {
    // Another machine may say anything, also that two are each other's parents.
    const way = new Set<number>()
    let top = pid
    for (let next: number | undefined = pid; next !== undefined && !way.has(next);) {
      way.add(next)
      top = tops.get(next) ?? next
      next = top === next && !tops.has(next) && !held.has(next) ? sameWork(next, known, family) : undefined
    }
    for (const each of way) tops.set(each, top)
  }
  return tops
}

/** The parent of a process when it belongs to the same work. */
function sameWork(
  pid: number,
  known: ReadonlyMap<number, Process>,
  { kin, asker }: Family,
): number | undefined {
  const own = kin.get(pid)
  if (!own || own.parent <= 1 || asker.line.has(own.parent)) return undefined
  const [parent, process] = [kin.get(own.parent), known.get(own.parent)]
  if (!parent || !process || parent.kernel || parent.uid !== own.uid) return undefined
  if (KEEPERS.test(process.command)) return undefined
  return SHELLS.test(process.command) && parent.terminal !== 0 ? undefined : own.parent
}

/** Units with a process to which nothing may be done, and why. */
function guardedUnits(
  units: Iterable<Unit>,
  known: ReadonlyMap<number, Process>,
  { kin, asker }: Family,
): [Unit, string][] {
  return [...units].flatMap((unit): [Unit, string][] => {
    for (const pid of unit.members) {
      const [own, process] = [kin.get(pid), known.get(pid)]
      const why = own && process && guard({ ...process, ...own, uid: own.uid ?? -1 }, asker, false)
      if (why !== undefined) return [[unit, why]]
    }
    return []
  })
}

function emptyUnit(top: Process, start: string): Unit {
  return { ...top, cpuPercent: 0, memPercent: 0, rssBytes: 0, members: [], start }
}

function add(unit: Unit, { pid, cpuPercent, memPercent, rssBytes }: Process): void {
  unit.members.push(pid)
  unit.cpuPercent += cpuPercent
  unit.memPercent += memPercent
  unit.rssBytes += rssBytes
}
