import { Broker, MAX_AGE_MS } from './broker.ts'
import { Events } from './events.ts'
import { SAMPLE_MS } from './load-average.ts'
import { Migrations } from './migrations.ts'
import { decide, type Policy } from './policies.ts'
import { Random } from './random.ts'
import { Tally } from './tally.ts'
import { fill, MEAN_TASK_CPU, MEAN_TASK_SECONDS, mesh, newTask, type Placed } from './workload.ts'

export type SimOptions = {
  nodes: number
  minutes: number
  seed: number
  policy: Policy
  /** `settle`: a skewed start, with processes that last. `flow`: processes come, most to the hot machines, and end. */
  work: 'settle' | 'flow'
  /** How many plan, each once a minute (4). */
  brokers?: number
  /** Migrations that one broker has under way at the same time (64). */
  parallel?: number
  /** Machines forget which process was moved: what is left is what the predictions do by themselves. */
  forgetful?: boolean
}

const PLAN_EVERY_MS = 60_000
const PLAN_TAKES_MS = 2000

/** What happens in a mesh under one policy. The work that comes is the same under every policy. */
export function simulate(options: SimOptions): Tally {
  const { nodes, minutes, seed, policy, work, brokers = 4, parallel = 64, forgetful = false } = options
  const events = new Events()
  const tally = new Tally()
  const loads = new Random(seed, 'load averages')
  const chance = new Random(seed, 'brokers')
  const workRandom = new Random(seed, 'work')
  const pids = counter()
  const placed = mesh(nodes, workRandom)
  const machines = new Map(placed.map(({ machine }) => [machine.name, machine]))
  const flows = work === 'flow'
  const seconds = () => (flows ? workRandom.exponential(MEAN_TASK_SECONDS) : Number.POSITIVE_INFINITY)
  fill(placed, pids, seconds, workRandom)
  if (flows) for (const each of placed) arrivals(each, events, pids, workRandom)

  const migrations = new Migrations({
    events,
    machines,
    random: chance,
    tally,
    reserves: policy === 'planner',
    remembers: !forgetful,
  })
  const throttle = (node: string, pid: number): void => {
    const task = machines.get(node)?.tasks.get(pid)
    if (!task) return
    task.heldMs = events.nowMs
    tally.held += 1
  }
  const wake = (node: string, pid: number, cpu: number): void => {
    const machine = machines.get(node)
    const task = machine?.tasks.get(pid)
    if (!machine || !task) return
    delete task.heldMs
    machine.arrivals.push({ cpu, atMs: events.nowMs })
    if (!forgetful) task.movedMs = events.nowMs
  }
  const run = (broker: Broker): void => {
    if (broker.acting) return
    const seen = broker.look(machines.values(), events.nowMs, chance)
    const began = performance.now()
    const decision = decide(policy, seen, { maxAgeMs: MAX_AGE_MS, owner: broker.name }, chance)
    tally.planMs.push(performance.now() - began)
    broker.acting = true
    events.after(PLAN_TAKES_MS, () => {
      for (const { node, pid } of decision.throttle) throttle(node, pid)
      for (const { node, pid, cpu } of decision.wake) wake(node, pid, cpu)
      migrations.carryOut(decision.moves, broker.name, parallel, () => (broker.acting = false))
    })
  }

  every(events, SAMPLE_MS, SAMPLE_MS, () => {
    for (const machine of machines.values()) tally.ended += machine.beat(loads)
    tally.sample(events.nowMs, machines.values())
  })
  if (policy !== 'never')
    for (let index = 1; index <= brokers; index++) {
      const broker = new Broker(`broker ${index}`)
      every(events, chance.between(0, PLAN_EVERY_MS), PLAN_EVERY_MS, () => run(broker))
    }
  events.runUntil(minutes * 60_000)
  return tally
}

/** The next process of a machine's own, and the one after it: so many that they would keep it at its ratio. */
function arrivals({ machine, ratio }: Placed, events: Events, pids: () => number, random: Random): void {
  const wanted = ratio * machine.cpus - machine.ownCpu
  if (wanted <= 0) return
  const meanMs = (1000 * MEAN_TASK_SECONDS * MEAN_TASK_CPU) / wanted
  const next = (): void =>
    events.after(random.exponential(meanMs), () => {
      const task = newTask(pids(), random.exponential(MEAN_TASK_SECONDS), events.nowMs, random)
      machine.tasks.set(task.pid, task)
      next()
    })
  next()
}

function every(events: Events, firstMs: number, everyMs: number, run: () => void): void {
  const again = (): void => {
    run()
    events.after(everyMs, again)
  }
  events.after(firstMs, again)
}

function counter(): () => number {
  let last = 0
  return () => ++last
}
