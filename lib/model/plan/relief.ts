import { plain } from '../../base/text.ts'
import { ACTED_ON_ABOVE_SCORE, MEMORY_MARGIN } from '../policy.ts'
import { candidates, leftAlone, type Candidate } from './candidates.ts'
import { change, holds, loadWith, ratioText, takesLoad, type Forecast } from './forecast.ts'
import { Receivers } from './receivers.ts'
import type { PlanAction, PlanOptions } from './snapshot.ts'

/**
 * Moves processes of PLUS nodes to MINUS nodes, the highest score first, each to the node with the lowest predicted
 * ratio that it fits. A node stops to shed once it is predicted not to be PLUS any more, however long load1 takes to show
 * that. Changes the forecasts by what it plans.
 *
 * @returns the moves, and for every PLUS node without one, or that stays too full, why
 */
export function relief(
  nodes: readonly Forecast[],
  options: PlanOptions,
): { moves: PlanAction[]; rest: PlanAction[] } {
  const plus = nodes.filter(({ trit }) => trit === 1)
  const eased = plus.filter(({ load, cpus }) => holds(load, cpus))
  const overfull = plus.filter(({ load, cpus }) => !holds(load, cpus))
  const shedding = new Map(
    overfull.map((each) => [each, `none of its processes scores above ${ACTED_ON_ABOVE_SCORE}`]),
  )
  const moves = shed(shedding, nodes, options)
  return { moves, rest: [...eased.map((each) => waiting(each)), ...[...shedding].map((each) => full(each))] }
}

/** Plans the moves; takes the nodes that they relieve out of `shedding`, and says of the others why. */
function shed(
  shedding: Map<Forecast, string>,
  nodes: readonly Forecast[],
  options: PlanOptions,
): PlanAction[] {
  const open = nodes.filter(
    ({ node }) => !node.closed && node.noMoves === undefined && (node.freeMemoryBytes ?? 0) > 0,
  )
  const receivers = new Receivers(open.filter((each) => takesLoad(each, options)))
  const moves: PlanAction[] = []
  for (const candidate of candidates([...shedding.keys()], 'migrate')) {
    const { from, process, cpu } = candidate
    if (!shedding.has(from)) continue
    const why = process.immovable ?? leftAlone(process)
    if (why !== undefined) {
      shedding.set(from, `PID ${process.pid} stays: ${plain(why, 100)}`)
      continue
    }
    const to = receivers.take(cpu, process.rssBytes * MEMORY_MARGIN)
    if (to === undefined) {
      shedding.set(from, `no MINUS node has room for PID ${process.pid}`)
      continue
    }
    moves.push(move(candidate, to))
    if (holds(from.load, from.cpus)) shedding.delete(from)
    else shedding.set(from, 'the rest goes when there is more room')
  }
  return moves
}

function move({ from, process, score, cpu }: Candidate, to: Forecast): PlanAction {
  const before = { from: ratioText(from.load, from.cpus), to: ratioText(loadWith(to, 0), to.cpus) }
  change(from, -cpu)
  change(to, cpu)
  to.used = true
  const reason =
    `${plain(process.command, 40)} scores ${score.toFixed(2)} on a PLUS node: ` +
    `${from.name} goes from ${before.from} to ${ratioText(from.load, from.cpus)}, ` +
    `${to.name} from ${before.to} to ${ratioText(loadWith(to, 0), to.cpus)}`
  return { kind: 'migrate', node: from.name, to: to.name, pid: process.pid, cpu, reason }
}

function waiting({ name, load, cpus }: Forecast): PlanAction {
  const reason = `on its way to ${ratioText(load, cpus)}: load1 still shows what has left`
  return { kind: 'none', node: name, reason }
}

function full([{ name, load, cpus }, why]: readonly [Forecast, string]): PlanAction {
  return { kind: 'none', node: name, reason: `stays at ${ratioText(load, cpus)}: ${why}` }
}
