import type { LoadChange, PlanNode, PlanProcess } from '../../lib/model/plan/snapshot.ts'
import { tritOf, type Trit } from '../../lib/model/trit.ts'
import { nextAverage, SAMPLE_MS, shown } from './load-average.ts'
import type { Random } from './random.ts'

/** A process. It wants so many CPUs all the time until it has had so many seconds of that. */
export type Task = {
  pid: number
  cpu: number
  secondsLeft: number
  rssBytes: number
  startedMs: number
  movedMs?: number
  /** Held back to half a CPU since then. */
  heldMs?: number
}

/** Load that came or went, and when. */
export type Remembered = { cpu: number; atMs: number }

/** How long a machine remembers what came and what left. */
const REMEMBERED_MS = 300_000
const HELD_CPU = 0.5

/** A machine: its tasks share its CPUs, its kernel keeps the load average, and it remembers what came and left. */
export class Machine {
  readonly tasks = new Map<number, Task>()
  /** load1, in the kernel's units. */
  average = 0
  reservation: { owner: string; untilMs: number } | undefined
  arrivals: Remembered[] = []
  departures: Remembered[] = []
  readonly name: string
  readonly cpus: number
  readonly memoryBytes: number
  /** CPUs that its own daemons use, which nothing can be done about. */
  readonly ownCpu: number

  constructor(machine: { name: string; cpus: number; memoryBytes: number; ownCpu: number }) {
    ;({ name: this.name, cpus: this.cpus, memoryBytes: this.memoryBytes, ownCpu: this.ownCpu } = machine)
  }

  get load1(): number {
    return shown(this.average)
  }

  get trit(): Trit {
    return tritOf(this.load1, this.cpus)
  }

  get wantedCpu(): number {
    let sum = this.ownCpu
    for (const task of this.tasks.values()) sum += wants(task)
    return sum
  }

  /**
   * Five seconds: every task gets its share of the CPUs, those that are done end, and the kernel takes a sample.
   *
   * @returns how many ended
   */
  beat(random: Random): number {
    const before = this.tasks.size
    const share = this.#share()
    let active = runnable(this.ownCpu, random)
    for (const task of this.tasks.values()) {
      task.secondsLeft -= ((SAMPLE_MS / 1000) * share * wants(task)) / task.cpu
      if (task.secondsLeft <= 0) this.tasks.delete(task.pid)
      else active += runnable(wants(task), random)
    }
    this.average = nextAverage(this.average, active)
    return before - this.tasks.size
  }

  /** What the machine answers when it is asked. */
  observe(nowMs: number): PlanNode {
    const recent = ({ atMs }: Remembered) => nowMs - atMs < REMEMBERED_MS
    this.arrivals = this.arrivals.filter((each) => recent(each))
    this.departures = this.departures.filter((each) => recent(each))
    const share = this.#share()
    const processes = [...this.tasks.values()].map((task) => this.#process(task, share, nowMs))
    const rssBytes = processes.reduce((sum, process) => sum + process.rssBytes, 0)
    const { reservation } = this
    return {
      name: this.name,
      measurement: { load1: this.load1, cpus: this.cpus, ageMs: 0 },
      freeMemoryBytes: this.memoryBytes - rssBytes,
      ...(reservation
        ? { reservation: { owner: reservation.owner, leftMs: reservation.untilMs - nowMs } }
        : {}),
      arrivals: this.arrivals.map((each) => aged(each, nowMs)),
      departures: this.departures.map((each) => aged(each, nowMs)),
      processes,
    }
  }

  /** The part of what they want that the tasks get. */
  #share(): number {
    return Math.min(1, this.cpus / this.wantedCpu)
  }

  #process(task: Task, share: number, nowMs: number): PlanProcess {
    const { pid, cpu, rssBytes, startedMs, movedMs, heldMs } = task
    return {
      pid,
      user: 'operator',
      command: 'work',
      cpuPercent: 100 * share * wants(task),
      memPercent: (100 * rssBytes) / this.memoryBytes,
      rssBytes,
      runtimeHours: (nowMs - startedMs) / 3_600_000,
      ...(movedMs === undefined ? {} : { movedAgoMs: nowMs - movedMs }),
      ...(heldMs === undefined ? {} : { held: { how: 'throttled', ageMs: nowMs - heldMs, cpu } }),
    }
  }
}

function wants({ cpu, heldMs }: Task): number {
  return heldMs === undefined ? cpu : Math.min(cpu, HELD_CPU)
}

/** How many threads of a task that uses so many CPUs run at this instant: 1.6 are one, and a second in 60 % of cases. */
function runnable(cpu: number, random: Random): number {
  const whole = Math.floor(cpu)
  return whole + (cpu > whole && random.chance(cpu - whole) ? 1 : 0)
}

function aged({ cpu, atMs }: Remembered, nowMs: number): LoadChange {
  return { cpu, ageMs: nowMs - atMs }
}
