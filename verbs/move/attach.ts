import pMap from 'p-map'
import { runAtTerminal } from '../../lib/base/command.ts'
import { Failure } from '../../lib/base/errors.ts'
import { plain, quoted } from '../../lib/base/text.ts'
import { hostOf, type Reach } from '../../lib/mesh/remote/host.ts'
import type { MeshNode } from '../../lib/mesh/node.ts'
import { pastMigrations } from '../../lib/work/migrate/history.ts'
import { attachCommand, terminalsThere } from '../../lib/work/migrate/terminal/terminals-there.ts'
import { FANOUT } from '../bounds.ts'
import { nodesOf } from '../see/mesh.ts'
import { reachOf } from '../see/reach.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import type { TerminalsInput, TerminalsResult } from './schemas.ts'

type Found = TerminalsResult & { places: ReadonlyMap<string, MeshNode> }

/** The terminals of processes that have moved, on all machines of the mesh. Changes nothing. */
export async function terminals(input: TerminalsInput, deps: Deps): Promise<TerminalsResult> {
  const { terminals: found, unasked } = await look(input, deps, await reachOf(input))
  return { terminals: found, unasked }
}

/**
 * Connects the terminal of this program with the one of a process that has moved, until the person leaves or it ends.
 *
 * @param id of the migration; without it, the only one that there is
 * @returns what there is to choose from, where it is not one
 * @throws Failure where there is none, or its machine can't be reached
 */
export async function attach(
  input: TerminalsInput,
  id: string | undefined,
  deps: Deps,
): Promise<TerminalsResult | undefined> {
  const reach = await reachOf(input)
  const all = await look(input, deps, reach, id)
  const chosen = id === undefined ? all.terminals : all.terminals.filter((each) => each.id === id)
  const [one] = chosen
  if (!one) throw new Failure(noneText(all, id))
  if (chosen.length > 1) return { terminals: all.terminals, unasked: all.unasked }
  const place = all.places.get(one.node)
  if (!place) throw new RangeError('a terminal on a machine that was not asked')
  deps.hint(`PID ${one.pid} (${one.command}) on ${one.node}: Ctrl-B d leaves it, and it goes on`)
  const status = await runAtTerminal(await attachCommand(hostOf(place), one.id, reach))
  if (status === 0) return undefined
  throw new Failure(
    `${one.node}: the connection to the terminal has ended${status === 255 ? ': ssh says why' : ''}`,
  )
}

function noneText({ unasked }: TerminalsResult, id: string | undefined): string {
  const what =
    id === undefined ? 'no process that has moved has a terminal' : `there is no terminal ${quoted(id)}`
  const [first] = unasked
  const more = unasked.length > 1 ? ` and ${unasked.length - 1} more` : ''
  return first
    ? `${what} where it could be asked; not asked: ${first.node}${more} (${first.reason})`
    : `${what}: it may have ended`
}

/** @param id where it is known where that one went, only that machine is asked, unless it is not there */
async function look(input: TerminalsInput, deps: Deps, reach: Reach, id?: string): Promise<Found> {
  const nodes = await nodesOf(input, deps)
  const past = id === undefined ? undefined : (await pastMigrations()).findLast((each) => each.id === id)
  const likely = nodes.filter(({ name }) => name === past?.to)
  const found = await lookAt(likely, input, deps, reach)
  return found.terminals.some((each) => each.id === id) ? found : await lookAt(nodes, input, deps, reach)
}

async function lookAt(
  nodes: readonly MeshNode[],
  input: TerminalsInput,
  deps: Deps,
  reach: Reach,
): Promise<Found> {
  const limits = { timeoutMs: timeoutMsOf(input), signal: deps.signal }
  const answers = await pMap(
    nodes,
    async (node) => ({
      node: node.name,
      said: node.left ? { reason: node.left.reason } : await terminalsThere(hostOf(node), reach, limits),
    }),
    { concurrency: input.fanout ?? FANOUT.usual },
  )
  return {
    terminals: answers.flatMap(({ node, said }) =>
      Array.isArray(said) ? said.map((each) => ({ node, ...each })) : [],
    ),
    unasked: answers.flatMap(({ node, said }) =>
      Array.isArray(said) ? [] : [{ node, reason: plain(said.reason, 200) }],
    ),
    places: new Map(nodes.map((node) => [node.name, node])),
  }
}
