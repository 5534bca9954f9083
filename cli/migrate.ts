import { randomBytes } from 'node:crypto'
import { NoSuitableNode, Refused, UsageError } from '../lib/errors.ts'
import { hostOf, type Host, type Reach } from '../lib/host/host.ts'
import type { MeshNode, Report } from '../lib/mesh/node.ts'
import { nodeNamed } from '../lib/mesh/nodes.ts'
import { measured, nodeStates } from '../lib/mesh/snapshot.ts'
import { emptiestFirst } from '../lib/balance.ts'
import { gatherTarget } from '../lib/migrate/facts/gather.ts'
import type { SourceFacts } from '../lib/migrate/facts/facts.ts'
import type { Plan } from '../lib/migrate/plan.ts'
import { changes, filesToShip, refusals, sizes, wantedOf } from '../lib/migrate/preflight.ts'
import type { Refusal } from '../lib/migrate/preflight/refusal.ts'
import { steadySource } from '../lib/migrate/steady.ts'
import { guard } from '../lib/process/guard.ts'
import { liveProcesses, thisSession, whyAbsent } from '../lib/process/live.ts'
import { plain, quoted } from '../lib/text.ts'
import { parseRecord, readRecords } from '../lib/throttle/record.ts'
import { askMesh, nodesOf } from './mesh.ts'
import type { meshOptions } from './mesh-options.ts'
import { onePid } from './pids.ts'
import type { Context } from './recipe.ts'

export const migrateOptions = {
  target: { type: 'string' },
  via: { type: 'string' },
  'copy-files': { type: 'boolean' },
  'keep-images': { type: 'boolean' },
  force: { type: 'boolean' },
} as const
type MigrateContext = Context<typeof meshOptions & typeof migrateOptions>

/** What is to move, and the machine where it is. */
export type Moving = {
  host: Host
  facts: SourceFacts
  node: MeshNode
  /** CPUs that it uses. */
  cpu: number
  /** Its command, safe to print. */
  title: string
  reports: readonly Report[]
  /** Targets that would not have it after all, and why. */
  declined: Map<string, string>
}
/** A machine that would not do, and why. */
export type Passed = { name: string; refusals: Refusal[] }

const GATHER_MS = 120_000
const WINDOW_MS = 300
/** More would make the command of one step too long. */
const MOST_FILES = 500

/** The process that the person means, with all that can be known of it before a target is looked for. */
export async function movingOf(context: MigrateContext, reach: Reach): Promise<Moving> {
  const { operands, values, signal } = context
  const [operand = '', ...others] = operands
  const colon = operand.lastIndexOf(':')
  const pid = onePid(operands.length === 0 ? [] : [operand.slice(colon + 1), ...others])
  const name = colon === -1 ? undefined : operand.slice(0, colon)
  if (name === undefined) await guardHere(pid, values.force ?? false)
  const nodes = await nodesOf(context)
  const node = name === undefined ? nodes.find(({ self }) => self) : nodeNamed(nodes, name)
  if (!node) throw new UsageError(`${quoted(name ?? '')} is not in the mesh: it has ${namesOf(nodes)}`)
  if (node.self && name !== undefined) await guardHere(pid, values.force ?? false)
  const host = hostOf(node)
  const gathered = await steadySource(host, pid, reach, { timeoutMs: GATHER_MS, signal })
  if (!gathered.known) throw refused(node.name, [gathered.refusal])
  const { facts } = gathered
  const found = refusals(facts, undefined, optionsOf(context))
  if (found.length > 0) throw refused(node.name, found)
  const wanted = {
    windowMs: WINDOW_MS,
    family: true,
    ...(values.target === undefined ? {} : { host: node.name }),
  }
  const reports = await askMesh(context, wanted)
  const held = heldThere(facts, reports, node)
  if (held !== undefined) throw new Refused(`${node.name}: ${held}`)
  const title = plain(facts.tree[0].command, 40)
  return { host, facts, node, cpu: cpuOf(facts, reports, node), title, reports, declined: new Map() }
}

/** What is wrong with the PID itself is said before anybody else is asked. */
async function guardHere(pid: number, force: boolean): Promise<void> {
  const all = await liveProcesses()
  const target = all.get(pid)
  if (!target) throw new Refused(await whyAbsent(pid, all))
  const reason = guard(target, await thisSession(all), force)
  if (reason !== undefined) throw new Refused(reason)
  const held = (await readRecords()).find((record) => record.pid === pid && record.start === target.start)
  if (held) throw new Refused(`PID ${pid} is held by scum-throttle: run: just scum-throttle --release ${pid}`)
}

/** Why what scum-throttle holds on its machine stays there: its record would not go along, and nobody would release it. */
function heldThere(
  { tree, bootId }: SourceFacts,
  reports: readonly Report[],
  node: MeshNode,
): string | undefined {
  const report = reports.find((each) => each.node.name === node.name)
  const lines = report?.outcome === 'ok' ? (report.family?.held ?? []) : []
  const starts = new Map(tree.map(({ pid, startTicks }) => [pid, String(startTicks)]))
  const record = lines
    .flatMap((line) => parseRecord(line) ?? [])
    .find(({ pid, start, boot }) => starts.get(pid) === start && bootId.startsWith(boot))
  if (!record) return undefined
  const how = record.means === 'pause' ? 'paused' : `held back by ${record.means}`
  return `held: PID ${record.pid} is ${how} by scum-throttle: release it there first: just scum-throttle ${record.pid} --release`
}

/** CPUs that the tree uses now. */
function cpuOf({ tree }: SourceFacts, reports: readonly Report[], node: MeshNode): number {
  const report = reports.find((each) => each.node.name === node.name)
  const processes = report?.outcome === 'ok' ? (report.processes ?? []) : []
  const pids = new Set(tree.map(({ pid }) => pid))
  const used = processes.filter(({ pid }) => pids.has(pid))
  return used.reduce((sum, { cpuPercent }) => sum + cpuPercent / 100, 0)
}

/** The best target that can take it, and those before it that can't. @throws NoSuitableNode, Refused */
export async function choose(
  context: MigrateContext,
  moving: Moving,
  reach: Reach,
): Promise<{ plan: Plan; passed: Passed[] }> {
  const passed: Passed[] = []
  for (const node of await targetsOf(context, moving)) {
    if (moving.declined.has(node.name)) continue
    const found = await planFor(context, moving, node, reach)
    if ('version' in found) return { plan: found, passed }
    if (context.values.target !== undefined) throw refused(found.name, found.refusals)
    if (!context.values.quiet) context.note(refused(found.name, found.refusals).message)
    passed.push(found)
  }
  const tried = passed.length + moving.declined.size
  throw new NoSuitableNode(`none of the ${tried} MINUS machines takes PID ${moving.facts.pid}`)
}

/** The target that the person names, else the MINUS nodes that are not closed to work, the one with most room first. */
async function targetsOf(context: MigrateContext, moving: Moving): Promise<MeshNode[]> {
  const { target } = context.values
  if (target === undefined) {
    const { reports } = moving
    const idle = measured(nodeStates(reports)).filter(
      ({ name, trit, receiver }) =>
        trit === -1 && receiver?.closed === undefined && name !== moving.node.name,
    )
    if (idle.length === 0) throw new NoSuitableNode('No MINUS node takes work: see just mesh-balance')
    return emptiestFirst(idle).flatMap(
      ({ name }) => reports.find(({ node }) => node.name === name)?.node ?? [],
    )
  }
  const nodes = await nodesOf(context)
  const node = nodeNamed(nodes, target)
  if (node?.name === moving.node.name)
    throw new UsageError(`--target ${quoted(target)} is where the process is`)
  if (!node) throw new UsageError(`--target ${quoted(target)} is not in the mesh: it has ${namesOf(nodes)}`)
  if (node.left) throw new Refused(`${target} can't be reached: ${node.left.reason}`)
  return [node]
}

/** What would be done with this target, or why it can't be. */
export async function planFor(
  context: Pick<MigrateContext, 'values' | 'signal'>,
  moving: Pick<Moving, 'facts' | 'host' | 'cpu'>,
  node: MeshNode,
  reach: Reach,
): Promise<Plan | Passed> {
  const { values, signal } = context
  const { facts, host, cpu } = moving
  const gathered = await gatherTarget(hostOf(node), wantedOf(facts), reach, { timeoutMs: GATHER_MS, signal })
  if (!gathered.known) return { name: node.name, refusals: [gathered.refusal] }
  const found = refusals(facts, gathered.facts, optionsOf(context))
  if (found.length > 0) return { name: node.name, refusals: found }
  const { ship, folders, known } = filesToShip(facts, gathered.facts, values['copy-files'] ?? false)
  if (ship.length + folders.length > MOST_FILES)
    return {
      name: node.name,
      refusals: [
        { code: 'files', at: 'source', sentence: `more than ${MOST_FILES} files would have to go along` },
      ],
    }
  const [root] = facts.tree
  return {
    version: 1,
    id: randomBytes(6).toString('hex'),
    source: host,
    target: hostOf(node),
    process: {
      pid: facts.pid,
      start: String(root.startTicks),
      boot: facts.bootId,
      command: root.command,
      tasks: facts.tree.length,
      rssBytes: sizes(facts).imageBytes,
    },
    cpu: Math.min(cpu, 10_000),
    via: viaOf(values.via),
    ship,
    folders,
    known,
    changes: changes(facts, gathered.facts),
    keepImages: values['keep-images'] ?? false,
    named: values.target !== undefined,
  }
}

export function viaOf(via: string | undefined): Plan['via'] {
  if (via === undefined || via === 'ssh') return 'ssh'
  if (via === 'taildrop') return 'taildrop'
  throw new UsageError(`--via takes ssh or taildrop, not ${quoted(via)}`)
}

function optionsOf({ values }: Pick<MigrateContext, 'values'>) {
  return { copyFiles: values['copy-files'] ?? false, force: values.force ?? false }
}

/** All reasons in one line, each by its name. */
export function refused(name: string, found: readonly Refusal[]): Refused {
  return new Refused(`${name}: ${found.map((each) => reasonText(each)).join('; ')}`)
}

export function reasonText({ code, sentence, advice }: Refusal): string {
  return plain(`${code}: ${sentence}${advice === undefined ? '' : ` (${advice})`}`, 400)
}

function namesOf(nodes: readonly MeshNode[]): string {
  return nodes.map(({ name }) => name).join(', ')
}
