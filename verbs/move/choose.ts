import { randomBytes } from 'node:crypto'
import { InputError, NoSuitableNode, Refused } from '../../lib/base/errors.ts'
import { plain, quoted } from '../../lib/base/text.ts'
import { guard } from '../../lib/machine/guard.ts'
import { liveProcesses, thisSession, whyAbsent } from '../../lib/machine/live-processes.ts'
import { parseRecord, readRecords } from '../../lib/machine/throttle/record.ts'
import type { MeshNode, Report } from '../../lib/mesh/node.ts'
import { hostOf, type Host, type Reach } from '../../lib/mesh/remote/host.ts'
import { nodeStates, openNodes } from '../../lib/mesh/snapshot.ts'
import type { SourceFacts } from '../../lib/work/migrate/facts/facts.ts'
import { gatherTarget } from '../../lib/work/migrate/facts/gather.ts'
import type { Refusal } from '../../lib/work/migrate/facts/refusal.ts'
import type { MigrationPlan } from '../../lib/work/migrate/plan.ts'
import {
  changes,
  criuOptions,
  filesToShip,
  movingTerminal,
  refusals,
  sizes,
  wantedOf,
} from '../../lib/work/migrate/preflight.ts'
import { steadySource } from '../../lib/work/migrate/steady.ts'
import { askMesh, nodeOf, nodesOf } from '../see/mesh.ts'
import { CANDIDATES } from '../bounds.ts'
import type { Deps } from '../verb.ts'
import type { MigrateScumInput } from './schemas.ts'

/** What is to move, and the machine where it is. */
export type Moving = {
  host: Host
  facts: SourceFacts
  node: MeshNode
  /** CPUs that it uses. */
  cpu: number
  reports: readonly Report[]
  /** Targets that would not have it after all, and why. */
  declined: Map<string, string>
}
/** A machine that would not do, and why. */
export type Passed = { name: string; refusals: Refusal[] }

/** How it is to move: of the input, what a plan for one target goes by. */
export type Manner = Pick<
  MigrateScumInput,
  'target' | 'via' | 'copyFiles' | 'keepImages' | 'force' | 'closeConnections'
> & {
  /** Unless this is false, the terminal of the process moves too. */
  withTerminals?: boolean
}

const GATHER_MS = 120_000
const WINDOW_MS = 300
/** More would make the command of one step too long. */
const MOST_FILES = 500

/** The process that is meant, with all that can be known of it before a target is looked for. @throws Refused */
export async function movingOf(input: MigrateScumInput, deps: Deps, reach: Reach): Promise<Moving> {
  const { pid, host: name, force = false } = input
  if (name === undefined) await guardHere(pid, force)
  const nodes = await nodesOf(input, deps)
  const node = name === undefined ? nodes.find(({ self }) => self) : nodeOf(nodes, name)
  if (!node) throw new RangeError('a mesh without this machine')
  if (node.self && name !== undefined) await guardHere(pid, force)
  const host = hostOf(node)
  const gathered = await steadySource(host, pid, reach, { timeoutMs: GATHER_MS, signal: deps.signal })
  if (!gathered.known) throw refused(node.name, [gathered.refusal])
  const { facts } = gathered
  const found = refusals(facts, undefined, optionsOf(input))
  if (found.length > 0) throw refused(node.name, found)
  const only = input.target === undefined ? { also: node.name } : { host: node.name }
  const reports = await askMesh(input, deps, {
    windowMs: WINDOW_MS,
    family: true,
    extremes: { emptiest: CANDIDATES },
    inPerson: true,
    ...only,
  })
  const held = heldThere(facts, reports, node)
  if (held !== undefined) throw new Refused(`${node.name}: ${held}`)
  return { host, facts, node, cpu: cpuOf(facts, reports, node), reports, declined: new Map() }
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
  input: MigrateScumInput,
  deps: Deps,
  moving: Moving,
  reach: Reach,
): Promise<{ plan: MigrationPlan; passed: Passed[] }> {
  const passed: Passed[] = []
  for (const node of await targetsOf(input, deps, moving)) {
    if (moving.declined.has(node.name)) continue
    const found = await planFor(input, moving, node, reach, deps.signal)
    if ('version' in found) return { plan: found, passed }
    if (input.target !== undefined) throw refused(found.name, found.refusals)
    deps.hint(refused(found.name, found.refusals).message)
    passed.push(found)
  }
  const tried = passed.length + moving.declined.size
  throw new NoSuitableNode(`none of the ${tried} MINUS machines takes PID ${moving.facts.pid}`)
}

/** The target that is named, else the MINUS nodes that are open to work, the one with most room first. */
async function targetsOf(input: MigrateScumInput, deps: Deps, moving: Moving): Promise<MeshNode[]> {
  const { target } = input
  if (target === undefined) {
    const { reports } = moving
    const idle = openNodes(nodeStates(reports)).filter(({ name }) => name !== moving.node.name)
    if (idle.length === 0) throw new NoSuitableNode('No MINUS node takes work: see just mesh-balance')
    return idle.flatMap(({ name }) => reports.find(({ node }) => node.name === name)?.node ?? [])
  }
  const node = nodeOf(await nodesOf(input, deps), target, 'target')
  if (node.name === moving.node.name)
    throw new InputError('target', `${quoted(target)} is where the process is`)
  if (node.left) throw new Refused(`${target} can't be reached: ${node.left.reason}`)
  return [node]
}

/** What would be done with this target, or why it can't be. */
export async function planFor(
  manner: Manner,
  { facts, host, cpu }: Pick<Moving, 'facts' | 'host' | 'cpu'>,
  node: MeshNode,
  reach: Reach,
  signal: AbortSignal,
): Promise<MigrationPlan | Passed> {
  const gathered = await gatherTarget(hostOf(node), wantedOf(facts), reach, { timeoutMs: GATHER_MS, signal })
  if (!gathered.known) return { name: node.name, refusals: [gathered.refusal] }
  const found = refusals(facts, gathered.facts, optionsOf(manner))
  if (found.length > 0) return { name: node.name, refusals: found }
  const { ship, folders, known } = filesToShip(facts, gathered.facts, manner.copyFiles ?? false)
  if (ship.length + folders.length > MOST_FILES) {
    const sentence = `more than ${MOST_FILES} files would have to go along`
    return { name: node.name, refusals: [{ code: 'files', at: 'source', sentence }] }
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
    via: manner.via ?? 'ssh',
    ship,
    folders,
    known,
    ...criuOptions(facts, optionsOf(manner)),
    ...movingTerminal(facts),
    changes: changes(facts, gathered.facts, optionsOf(manner)),
    keepImages: manner.keepImages ?? false,
    named: manner.target !== undefined,
  }
}

function optionsOf({
  copyFiles = false,
  force = false,
  closeConnections = false,
  withTerminals = true,
}: Manner) {
  return { copyFiles, force, closeConnections, withTerminals }
}

/** All reasons in one line, each by its name. */
export function refused(name: string, found: readonly Refusal[]): Refused {
  return new Refused(`${name}: ${found.map((each) => reasonText(each)).join('; ')}`)
}

export function reasonText({ code, sentence, advice }: Refusal): string {
  return plain(`${code}: ${sentence}${advice === undefined ? '' : ` (${advice})`}`, 400)
}
