import { RULES } from '../../lib/model/balance.ts'
import type { ScumKillResult, ScumReleaseResult, ScumThrottleResult } from '../hold/schemas.ts'
import type { MigratePreflightResult, MigrateScumResult, PlanRebalanceResult } from '../move/schemas.ts'
import { outcomeText } from '../../lib/work/migrate/outcome-text.ts'
import type { EnqueueResult, ListJobsResult, OffloadResult } from '../run/schemas.ts'
import type { FindMinusResult, MeshBalanceResult, NodeTritResult, ScumViewResult } from '../see/schemas.ts'
import type { ShareToIdleResult } from '../share/schemas.ts'
import { fenced } from './harmless.ts'

// What a model reads first: two sentences. What is other machines' own stands in quotation marks.

const MOST_NAMES = 5

export function meshSentences({ nodes, rule, moves, sum }: MeshBalanceResult): string {
  const of = (trit: number) =>
    nodes.flatMap((node) => (node.outcome === 'ok' && node.trit === trit ? [node] : []))
  const silent = nodes.filter(({ outcome }) => outcome !== 'ok')
  const counts = [
    `${of(1).length} PLUS${names(of(1))}`,
    `${of(0).length} ERGODIC`,
    `${of(-1).length} MINUS${names(of(-1))}`,
    `${silent.length} without a measurement`,
  ]
  const [first] = moves
  const who = first ? `, such as ${fenced(first.from)} to ${fenced(first.to)}` : ''
  const then = rule === undefined ? 'No rule applies.' : `Σ = ${sum}, rule ${rule}: ${RULES[rule]}${who}.`
  return `${nodes.length} machines: ${counts.join(', ')}. ${then}`
}

export function minusSentences({ nodes, unmeasured = 0 }: FindMinusResult): string {
  const [best] = nodes
  const silent = unmeasured > 0 ? ` ${unmeasured} gave no measurement.` : ''
  if (!best) return `No other machine would do.${silent}`
  return `${fenced(best.name)} has the most room: load ${best.load1.toFixed(2)} on ${best.cpus} CPUs, trit ${best.trit}.${silent}`
}

export function tritSentences({ trit, load1, cpus, scumProcesses }: NodeTritResult): string {
  return `This machine has trit ${trit}: load ${load1.toFixed(2)} on ${cpus} CPUs. ${scumProcesses} processes use more than 30 % of a CPU.`
}

export function scumSentences({ nodes, unmeasured = [] }: ScumViewResult): string {
  const blamed = nodes.flatMap(({ name, processes }) =>
    processes.flatMap((each) => (each.inScumClass ? [{ name, ...each }] : [])),
  )
  const worst = blamed.toSorted((a, b) => b.score - a.score)[0]
  const silent = unmeasured.length > 0 ? ` ${unmeasured.length} gave no measurement.` : ''
  if (!worst) return `No process is to blame on ${nodes.length} machines.${silent}`
  return `${blamed.length} processes are to blame on ${nodes.length} machines. The highest score is ${worst.score.toFixed(2)}: PID ${worst.pid} (${fenced(worst.command)}) on ${fenced(worst.name)}, action ${worst.action}.${silent}`
}

export function planSentences({ actions, rule, predicted }: PlanRebalanceResult): string {
  const [first, ...others] = actions.filter(({ kind }) => kind !== 'none')
  if (!first) return `Rule ${rule}: ${RULES[rule]}. Nothing is to be done.`
  const what = 'pid' in first ? `PID ${first.pid}` : 'job' in first ? `job ${fenced(first.job)}` : ''
  const to = 'to' in first ? ` to ${fenced(first.to)}` : ''
  const more = others.length > 0 ? `, and ${others.length} more` : ''
  return `Rule ${rule}: ${RULES[rule]}. First ${first.kind} ${what} on ${fenced(first.node)}${to}${more}; then Σ would be ${predicted.sum}.`
}

export function preflightSentences({ process, target, ship, changes }: MigratePreflightResult): string {
  return `PID ${process.pid} (${fenced(process.command)}) can move to ${fenced(target.name)}, with ${ship.length} files. ${changes.length} things would change by it.`
}

export function movedSentences(moved: MigrateScumResult): string {
  if (moved.outcome !== 'moved') return fenced(outcomeText(moved))
  return `PID ${moved.pid} (${fenced(moved.command)}) moved from ${fenced(moved.from)} to ${fenced(moved.to)} and is ${moved.state ?? 'there'}. It stood still for ${(moved.downtimeSeconds ?? 0).toFixed(2)} s.`
}

export function throttleSentences({ pid, command, means, percent, processes }: ScumThrottleResult): string {
  const how = percent === undefined ? '' : ` to ${percent} % of a CPU`
  return `PID ${pid} (${fenced(command)}) and ${processes - 1} children are held by ${means}${how}. scum_release lets them go.`
}

export function releaseSentences({ released }: ScumReleaseResult): string {
  return released.map(({ pid, outcome }) => `PID ${pid}: ${outcome}.`).join(' ')
}

export function killSentences({ processes }: ScumKillResult): string {
  return processes.map(({ pid, outcome }) => `PID ${pid}: ${outcome}.`).join(' ')
}

export function offloadSentences({ node, exitCode, notes, truncated }: OffloadResult): string {
  const told = notes.length > 0 ? ` ${notes.map((note) => fenced(note)).join(' ')}` : ''
  const cut = truncated ? ' Only the end of its output is here.' : ''
  return `It ran on ${fenced(node)} and ended with ${exitCode}.${cut}${told}`
}

export function enqueueSentences({ id }: EnqueueResult): string {
  return `Queued as ${id}. list_jobs tells what becomes of it.`
}

export function jobsSentences({ jobs }: ListJobsResult): string {
  const counts = new Map<string, number>()
  for (const { state } of jobs) counts.set(state, (counts.get(state) ?? 0) + 1)
  const told = [...counts].map(([state, count]) => `${count} ${state}`).join(', ')
  return `${jobs.length} jobs${told && `: ${told}`}.`
}

export function shareSentences({ files, bytes, target, by, declined }: ShareToIdleResult): string {
  const not = declined.length > 0 ? ` It declined ${declined.length} files.` : ''
  return `Sent ${files.length} files (${bytes} bytes) to ${fenced(target)} by ${by}.${not}`
}

/** A short result, told as it is. */
export function wholeSentence(result: Record<string, unknown>): string {
  const told = Object.entries(result).map(([key, value]) => {
    if (Array.isArray(value)) return `${value.length} ${key}`
    return `${key} ${typeof value === 'string' ? fenced(value) : JSON.stringify(value)}`
  })
  return `${told.join(', ')}.`
}

function names(nodes: readonly { name: string }[]): string {
  if (nodes.length === 0) return ''
  const some = nodes.slice(0, MOST_NAMES).map(({ name }) => fenced(name))
  return ` (${some.join(', ')}${nodes.length > MOST_NAMES ? ', …' : ''})`
}
