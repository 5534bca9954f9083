import type { Limits } from '../../lib/base/command.ts'
import { InputError, Interrupted, UsageError } from '../../lib/base/errors.ts'
import { quoted } from '../../lib/base/text.ts'
import { Connections } from '../../lib/mesh/connections.ts'
import { parseHost, parseHostList, type NamedHost } from '../../lib/mesh/hosts.ts'
import type { MeshNode, Report } from '../../lib/mesh/node.ts'
import { meshNodes, nodeNamed, type Mesh } from '../../lib/mesh/nodes.ts'
import { snapshotOf, type MeshSnapshot } from '../../lib/mesh/snapshot.ts'
import { sshSource } from '../../lib/mesh/ssh-source.ts'
import type { Extremes } from '../../lib/mesh/known-mesh.ts'
import { thisMachine } from '../../lib/mesh/this-machine.ts'
import { FANOUT } from '../bounds.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import { sourceOf, throughTailnet, type Source } from './source.ts'

/** Which mesh is meant, and how it is asked: what every verb takes that looks at more than this machine. */
export type MeshInput = {
  /** `[user@]host[:port]` each; without it RESOURCE_SHARING_HOSTS, else the tailnet's. */
  hosts?: string[] | undefined
  /** `prometheus=URL` or `nats=URL`, who names and measures the machines; without it RESOURCE_SHARING_SOURCE. */
  source?: string | undefined
  /** Without it RESOURCE_SHARING_SOURCE_CONFIG. */
  sourceConfig?: string | undefined
  /** Without it RESOURCE_SHARING_NODE_LABEL. */
  nodeLabel?: string | undefined
  /** Names of the mesh; without it RESOURCE_SHARING_EXCLUDE. */
  exclude?: string[] | undefined
  fanout?: number | undefined
  /** From the moment of asking, not from the program's start. */
  timeoutSeconds?: number | undefined
}

/** What is known of where the nodes come from. */
type Told = Pick<Mesh, 'from' | 'warning'>

export type Wanted = {
  /** How packets reach each node, as it is once the node was asked. */
  connections?: boolean
  /** The processes too, over a window of so many milliseconds. */
  windowMs?: number
  /** And who began whom of them: see `Family`. */
  family?: boolean
  /** Only the node of this name, which the input has by the name `field`. */
  host?: string
  /** Which machines matter, where a server has measured all; it need not tell of the others. */
  extremes?: Extremes
  /** These have to be asked themselves, for their processes or because of what is to be done; for marks, where none are known. */
  inPerson?: true | 'for marks'
  /** One more that has to be, whatever its load. */
  also?: string
  /** Told what is known as each node has answered, for who watches answers come. */
  soFar?: (mesh: MeshSnapshot) => void
}

/** Measures the mesh, within the time of the input. */
export async function measureMesh(input: MeshInput, deps: Deps, wanted: Wanted = {}): Promise<MeshSnapshot> {
  const { reports, mesh } = await ask(input, deps, wanted)
  return snapshotOf(reports, new Date(), mesh)
}

/**
 * What each node of the mesh answers, within the time of the input.
 * When it is interrupted, the ssh connections that it opened are closed before it throws.
 */
export async function askMesh(input: MeshInput, deps: Deps, wanted: Wanted): Promise<Report[]> {
  return (await ask(input, deps, wanted)).reports
}

async function ask(input: MeshInput, deps: Deps, wanted: Wanted): Promise<{ reports: Report[]; mesh: Told }> {
  const { signal } = deps
  const deadlineMs = performance.now() + timeoutMsOf(input, 10 + (wanted.windowMs ?? 0) / 1000)
  const limits = () => ({ timeoutMs: deadlineMs - performance.now(), signal })
  const source = await sourceOf(input)
  if (source) return await askSource(source, input, deps, wanted, deadlineMs)
  const mesh = await meshNodes(chosenHosts(input), limits())
  tell(mesh, deps)
  const all = remaining(mesh.nodes, input, deps)
  const nodes = wanted.host === undefined ? all : [nodeOf(all, wanted.host, 'host')]
  const known = (reports: Report[]) => wanted.soFar?.(snapshotOf(reports, new Date(), mesh))
  const reports = await askBySsh(nodes, { ...wanted, ...input, deadlineMs }, deps, known)
  if (!wanted.connections || mesh.from !== 'tailnet') return { reports, mesh }
  return { reports: await withConnections(reports, deadlineMs, signal), mesh }
}

/** Asks a server for the machines that matter, and those of them that have to be asked themselves by ssh. */
async function askSource(
  source: Source,
  input: MeshInput,
  deps: Deps,
  wanted: Wanted,
  deadlineMs: number,
): Promise<{ reports: Report[]; mesh: Told }> {
  const limits = () => ({ timeoutMs: deadlineMs - performance.now(), signal: deps.signal })
  const { host, also = host, extremes } = wanted
  const inPerson = wanted.inPerson === 'for marks' ? !source.marks : wanted.inPerson === true
  // A name is found among all names.
  const { reports, warning } = await source.ask(also === undefined ? extremes : undefined, limits())
  const mesh = { from: source.from, ...(warning === undefined ? {} : { warning }) }
  tell(mesh, deps)
  const nodes = remaining(
    reports.map(({ node }) => node),
    input,
    deps,
  )
  const left = new Set(nodes.map(({ name }) => name))
  const known = reports.filter(({ node }) => left.has(node.name))
  if (!inPerson && host === undefined) return { reports: known, mesh }
  const one = also === undefined ? [] : [nodeOf(nodes, also, host === undefined ? undefined : 'host')]
  const few = host === undefined ? candidates(known, extremes) : []
  const chosen = [...new Map([...one, ...few].map((node) => [node.name, node])).values()]
  const nearer = await throughTailnet(chosen, limits())
  return { reports: await askBySsh(nearer, { ...wanted, ...input, deadlineMs }, deps), mesh }
}

/** Those with the most load and with the least, so many of each. */
function candidates(reports: readonly Report[], { emptiest = 0, fullest = 0 }: Extremes = {}): MeshNode[] {
  const ratio = (report: Report) =>
    report.outcome === 'ok' ? report.measurement.load1 / report.measurement.cpus : Number.NaN
  const ordered = reports
    .filter(({ outcome }) => outcome === 'ok')
    .toSorted((one, other) => ratio(one) - ratio(other))
    .map(({ node }) => node)
  return [...ordered.slice(0, emptiest), ...(fullest > 0 ? ordered.slice(-fullest) : [])]
}

type Asking = Pick<Wanted, 'windowMs' | 'family'> & Pick<MeshInput, 'fanout'> & { deadlineMs: number }

/** Asks nodes by ssh, and this machine without it. `known` is told what is known as each has answered. */
async function askBySsh(
  nodes: readonly MeshNode[],
  { windowMs, family = false, fanout = FANOUT.usual, deadlineMs }: Asking,
  deps: Deps,
  known?: (reports: Report[]) => void,
): Promise<Report[]> {
  const connections = await Connections.open()
  const source = sshSource({
    connections,
    fanout,
    deadlineMs,
    family,
    ...(windowMs === undefined ? {} : { windowMs }),
  })
  const asked = nodes.filter(({ left, self }) => !left && !self).length
  const progress = asked > 0 ? await deps.progress(`asking ${asked} machines`) : undefined
  const reports: Report[] = []
  try {
    for await (const report of source.measure(nodes, deps.signal)) {
      reports.push(report)
      known?.(reports)
      progress?.update(
        `asking ${asked} machines, ${reports.length} of ${nodes.length} known`,
        reports.length / nodes.length,
      )
    }
    return reports
  } catch (error) {
    if (error instanceof Interrupted) await connections.closeOpened()
    throw error
  } finally {
    progress?.stop()
  }
}

/** Tells the mesh that is meant as it is now, each time; what is wrong with the input is told at once. @throws UsageError */
export async function meshOf(input: MeshInput, deps: Deps): Promise<(signal: AbortSignal) => Promise<Mesh>> {
  const known = await knownMesh(input)
  let { hint } = deps
  return async (signal) => {
    const { nodes, ...mesh } = await known({ timeoutMs: timeoutMsOf(input), signal })
    const left = remaining(nodes, input, { hint })
    hint = () => {} // It was said once.
    return { ...mesh, nodes: left }
  }
}

/** What tells the nodes of the mesh that is meant, without asking any. @throws UsageError where the input is wrong */
async function knownMesh(input: MeshInput): Promise<(limits: Limits) => Promise<Mesh>> {
  const source = await sourceOf(input)
  if (!source) {
    const hosts = chosenHosts(input)
    return async (limits) => await meshNodes(hosts, limits)
  }
  return async (limits) => {
    const { nodes: named, warning } = await source.nodes(limits)
    const nodes = await throughTailnet(named, limits)
    return {
      // What is done here has a place in every mesh.
      nodes: nodes.some(({ self }) => self) ? nodes : [thisMachine(), ...nodes],
      from: source.from,
      ...(warning === undefined ? {} : { warning }),
    }
  }
}

/** What is known of where the nodes come from. */
function tell({ hint, warning }: Pick<Mesh, 'hint' | 'warning'>, deps: Deps): void {
  if (warning !== undefined) deps.warn(warning)
  if (hint !== undefined) deps.hint(hint)
}

/** The nodes of the mesh, without asking any. */
export async function nodesOf(input: MeshInput, deps: Deps): Promise<MeshNode[]> {
  const limits = { timeoutMs: timeoutMsOf(input), signal: deps.signal }
  const mesh = await (await knownMesh(input))(limits)
  tell(mesh, deps)
  return remaining(mesh.nodes, input, deps)
}

/**
 * The node of a name.
 *
 * @param field of the input that named it; without one, the message begins with the name
 * @throws UsageError that names those there are
 */
export function nodeOf(nodes: readonly MeshNode[], name: string, field?: string): MeshNode {
  const node = nodeNamed(nodes, name)
  if (node) return node
  const says = `${quoted(name)} is not in the mesh: it has ${namesOf(nodes)}`
  throw field === undefined ? new UsageError(says) : new InputError(field, says)
}

/** The same of a machine other than this one. @throws UsageError */
export function otherNodeOf(nodes: readonly MeshNode[], name: string, field: string): MeshNode {
  const node = nodeNamed(nodes, name)
  if (node?.self) throw new InputError(field, `${quoted(name)} is this machine`)
  const others = nodes.filter(({ self }) => !self)
  if (node) return node
  throw new InputError(
    field,
    `${quoted(name)} is not in the mesh: it has ${namesOf(others) || 'no other machine'}`,
  )
}

function namesOf(nodes: readonly MeshNode[]): string {
  return nodes.map(({ name }) => name).join(', ')
}

/** The nodes without those that the person leaves out: by the input, else by the environment. */
function remaining(
  nodes: readonly MeshNode[],
  { exclude = [] }: MeshInput,
  { hint }: Pick<Deps, 'hint'>,
): MeshNode[] {
  const names = exclude.length > 0 ? exclude : [process.env.RESOURCE_SHARING_EXCLUDE ?? '']
  const words = names
    .flatMap((list) => list.split(',').map((word) => word.trim()))
    .filter((word) => word !== '')
  const excluded = words.map((word) => nodeNamed(nodes, word))
  const unknown = words.filter((_, index) => excluded[index] === undefined)
  if (unknown.length > 0 && exclude.length > 0)
    hint(`--exclude ${quoted(unknown.join(','))}: no machine of the mesh is called so`)
  return nodes.filter((node) => !excluded.includes(node))
}

/** The hosts that the person names: by the input, else by the environment; undefined where tailscale is to tell. */
function chosenHosts({ hosts = [] }: MeshInput): NamedHost[] | undefined {
  if (hosts.length > 0) return hosts.map((text) => parseHost(text, 'hosts'))
  const variable = process.env.RESOURCE_SHARING_HOSTS ?? ''
  return variable === '' ? undefined : parseHostList(variable, 'RESOURCE_SHARING_HOSTS')
}

/** The way to each node as it is now: asking a node is what makes its connection active. */
async function withConnections(
  reports: Report[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Report[]> {
  const leftMs = deadlineMs - performance.now()
  if (leftMs < 100) return reports
  const { tailnetIfKnown } = await import('../../lib/mesh/tailscale.ts')
  const later = await tailnetIfKnown({ timeoutMs: leftMs, signal })
  if (!later.running) return reports
  const byAddress = new Map(later.nodes.map(({ address, connection }) => [address, connection]))
  return reports.map((report) => {
    const connection = byAddress.get(report.node.address)
    return connection ? { ...report, node: { ...report.node, connection } } : report
  })
}
