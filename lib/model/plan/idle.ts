import { plain } from '../../base/text.ts'
import { compare } from './candidates.ts'
import { change, holds, loadWith, predictedSum, predictedTrit, ratioText, takesLoad } from './forecast.ts'
import type { Forecast } from './forecast.ts'
import { Receivers } from './receivers.ts'
import type { PlanAction, PlanOptions, PlanProcess, QueuedJob } from './snapshot.ts'

/**
 * Rule 2: wakes idle work on MINUS nodes until Σ is no longer below 0. First what this program holds back there, the
 * oldest first, then queued jobs, the oldest first, each on the node with the lowest predicted ratio that it fits.
 * Changes the forecasts by what it plans.
 */
export function wakeIdle(
  nodes: readonly Forecast[],
  jobs: readonly QueuedJob[],
  options: PlanOptions,
): PlanAction[] {
  const sum = { value: predictedSum(nodes) }
  const woken = wake(nodes, options, sum)
  return [...woken, ...start(nodes, jobs, options, sum)]
}

function wake(nodes: readonly Forecast[], options: PlanOptions, sum: { value: number }): PlanAction[] {
  const held = nodes
    .filter((each) => takesLoad(each, options))
    .flatMap((on) => on.node.processes.flatMap((process) => heldOn(on, process) ?? []))
    .toSorted((a, b) => b.ageMs - a.ageMs || compare(a.on.name, b.on.name) || a.process.pid - b.process.pid)
  const actions: PlanAction[] = []
  for (const { on, process, how, cpu } of held) {
    if (sum.value >= 0) break
    if (on.used || process.guarded !== undefined || !holds(loadWith(on, cpu), on.cpus)) continue
    fill(on, cpu, sum)
    const reason = `${plain(process.command, 40)} is ${how}, the one that waits longest where there is room: ${rises(on, cpu)}`
    actions.push({ kind: 'wake', node: on.name, pid: process.pid, cpu, reason })
  }
  return actions
}

/** Nobody knows what a paused process would use: a whole CPU, unless it was written down. */
function heldOn(on: Forecast, process: PlanProcess) {
  if (!process.held) return undefined
  const { how, ageMs, cpu = 1 } = process.held
  return { on, process, how, ageMs, cpu: Math.max(0, cpu - process.cpuPercent / 100) }
}

function start(
  nodes: readonly Forecast[],
  jobs: readonly QueuedJob[],
  options: PlanOptions,
  sum: { value: number },
): PlanAction[] {
  if (jobs.length === 0 || sum.value >= 0) return []
  const receivers = new Receivers(nodes.filter((each) => takesLoad(each, options) && !each.node.closed))
  const actions: PlanAction[] = []
  for (const { id, cpu } of jobs.toSorted((a, b) => b.ageMs - a.ageMs || compare(a.id, b.id))) {
    if (sum.value >= 0) break
    const on = receivers.take(cpu, 0)
    if (on === undefined) continue
    fill(on, cpu, sum)
    const reason = `the oldest job that fits: ${rises(on, cpu)}`
    actions.push({ kind: 'start', node: on.name, job: id, cpu, reason })
  }
  return actions
}

function fill(on: Forecast, cpu: number, sum: { value: number }): void {
  const before = predictedTrit(on)
  change(on, cpu)
  on.used = true
  sum.value += predictedTrit(on) - before
}

function rises(on: Forecast, cpu: number): string {
  const after = loadWith(on, 0)
  return `${on.name} goes from ${ratioText(after - cpu, on.cpus)} to ${ratioText(after, on.cpus)}`
}
