import { Machine, type Task } from './machine.ts'
import { averageOf } from './load-average.ts'
import type { Random } from './random.ts'

const GIB = 2 ** 30
/** Mean ratio of the mesh, the share of machines to which most work comes, and how full it makes these. */
const MEAN_RATIO = 0.5
const HOT_SHARE = 0.1
const HOT_RATIO = { least: 0.9, most: 1.5 }
/** The others are idle, or half busy; both are scaled to give the mean. */
const IDLE_RATIO = { least: 0, most: 0.3 }
const BUSY_RATIO = { least: 0.4, most: 0.7 }
const DAEMONS_RATIO = 0.02
export const MEAN_TASK_SECONDS = 1200

/** A machine and the ratio that its own work would give it if nothing moved. */
export type Placed = { machine: Machine; ratio: number }

/**
 * Machines of 2 to 16 CPUs. One in ten is hot, with a ratio of 0.9 to 1.5; the others have as little as makes the
 * mean ratio over all CPUs 0.5. Three processes in four spin on one CPU, the others use 0.6 of one, or two.
 */
export function mesh(nodes: number, random: Random): Placed[] {
  const placed = Array.from({ length: nodes }, (_, index) => {
    const cpus = random.pick([2, 2, 4, 4, 4, 8, 8, 16])
    const machine = new Machine({
      name: `n${index + 1}`,
      cpus,
      memoryBytes: cpus * 2 * GIB,
      ownCpu: cpus * DAEMONS_RATIO,
    })
    const hot = index < Math.max(1, Math.round(nodes * HOT_SHARE))
    const { least, most } = hot ? HOT_RATIO : random.chance(0.5) ? IDLE_RATIO : BUSY_RATIO
    return { machine, hot, weight: random.between(least, most) }
  })
  const cpusOf = (which: boolean, weighed: boolean) =>
    placed
      .filter(({ hot }) => hot === which)
      .reduce((sum, { machine, weight }) => sum + machine.cpus * (weighed ? weight : 1), 0)
  const all = cpusOf(true, false) + cpusOf(false, false)
  const scale = Math.max(0, MEAN_RATIO * all - cpusOf(true, true)) / cpusOf(false, true)
  return placed.map(({ machine, hot, weight }) => ({ machine, ratio: hot ? weight : weight * scale }))
}

/** Fills every machine to its ratio, with a load average that shows it: processes that last. */
export function fill(
  placed: readonly Placed[],
  pids: () => number,
  seconds: () => number,
  random: Random,
): void {
  for (const { machine, ratio } of placed) {
    const wanted = ratio * machine.cpus - machine.ownCpu
    for (let used = 0; used < wanted;) {
      const task = newTask(pids(), seconds(), 0, random)
      // The last one is left out as often as it would go too far.
      if (used + task.cpu > wanted && !random.chance((wanted - used) / task.cpu)) break
      machine.tasks.set(task.pid, task)
      used += task.cpu
    }
    machine.average = averageOf(machine.wantedCpu)
  }
}

export function newTask(pid: number, secondsLeft: number, startedMs: number, random: Random): Task {
  const cpu = random.pick([1, 1, 1, 1, 1, 1, 0.6, 2])
  return { pid, cpu, secondsLeft, rssBytes: random.exponential(GIB / 8), startedMs }
}

/** The mean CPUs of a task: with its mean duration, what decides how many come. */
export const MEAN_TASK_CPU = (6 * 1 + 0.6 + 2) / 8
