import { Failure, Interrupted, UsageError } from '../lib/errors.ts'
import { Connections } from '../lib/mesh/connections.ts'
import { parseHostList, parseHostsFile, type Host } from '../lib/mesh/hosts.ts'
import type { MeshNode, Report } from '../lib/mesh/node.ts'
import { meshNodes, nodeNamed, type Mesh } from '../lib/mesh/nodes.ts'
import { snapshotOf, type MeshSnapshot } from '../lib/mesh/snapshot.ts'
import { sshSource } from '../lib/mesh/ssh-source.ts'
import { progress } from '../lib/show/progress.ts'
import { messageOf, quoted } from '../lib/text.ts'
import type { meshOptions } from './mesh-options.ts'
import { countOf, timeoutMs } from './numbers.ts'
import type { Context } from './recipe.ts'

type MeshContext = Pick<Context<typeof meshOptions>, 'values' | 'signal' | 'note'>

export type Wanted = {
  /** How packets reach each node, as it is once the node was asked. */
  connections?: boolean
  /** The processes too, over a window of so many milliseconds. */
  windowMs?: number
  /** And who began whom of them: see `Family`. */
  family?: boolean
  /** Only the node of this name. */
  host?: string
}

/** Measures the mesh that the flags, the environment or tailscale name, within `--timeout`. */
export async function measureMesh(context: MeshContext, wanted: Wanted = {}): Promise<MeshSnapshot> {
  const { reports, mesh } = await ask(context, wanted)
  return snapshotOf(reports, new Date(), mesh)
}

/**
 * What each node of the mesh answers, within `--timeout`.
 * On Ctrl-C the ssh connections that it opened are closed before it throws.
 */
export async function askMesh(context: MeshContext, wanted: Wanted): Promise<Report[]> {
  return (await ask(context, wanted)).reports
}

async function ask(context: MeshContext, wanted: Wanted): Promise<{ reports: Report[]; mesh: Mesh }> {
  const { values, signal } = context
  // From now on, not from this program's start: on a machine that is overloaded that alone may take seconds.
  const deadlineMs = performance.now() + timeoutMs(values.timeout, 10 + (wanted.windowMs ?? 0) / 1000)
  const fanout = countOf('--fanout', values.fanout ?? '64', { least: 1, most: 1024 })
  const hosts = await chosenHosts(values)
  const mesh = await meshNodes(hosts, { timeoutMs: deadlineMs - performance.now(), signal })
  tell(mesh, context)
  const all = remaining(mesh.nodes, context)
  const nodes = wanted.host === undefined ? all : [named(wanted.host, all)]
  const connections = await Connections.open()
  const { windowMs, family = false } = wanted
  const source = sshSource({
    connections,
    fanout,
    deadlineMs,
    family,
    ...(windowMs === undefined ? {} : { windowMs }),
  })
  const asked = nodes.filter(({ left, self }) => !left && !self).length
  const spinner = await progress(process.stderr, `asking ${asked} machines`, asked > 0 && !values.quiet)
  const reports: Report[] = []
  try {
    for await (const report of source.measure(nodes, signal)) {
      reports.push(report)
      spinner.update(`asking ${asked} machines, ${reports.length} of ${nodes.length} known`)
    }
  } catch (error) {
    if (error instanceof Interrupted) await connections.closeOpened()
    throw error
  } finally {
    spinner.stop()
  }
  if (!wanted.connections || mesh.from !== 'tailnet') return { reports, mesh }
  return { reports: await withConnections(reports, deadlineMs, signal), mesh }
}

/** What is known of where the nodes come from: a warning also to who wants to hear little. */
function tell({ hint, warning }: Mesh, { values, note }: MeshContext): void {
  if (warning !== undefined) note(warning)
  if (hint !== undefined && !values.quiet) note(hint)
}

/** The nodes of the mesh, without asking any. */
export async function nodesOf(context: MeshContext): Promise<MeshNode[]> {
  const { values, signal } = context
  const mesh = await meshNodes(await chosenHosts(values), { timeoutMs: timeoutMs(values.timeout), signal })
  tell(mesh, context)
  return remaining(mesh.nodes, context)
}

/** The nodes without those that the person leaves out: by flags, else by the environment. */
function remaining(nodes: readonly MeshNode[], { values, note }: MeshContext): MeshNode[] {
  const flags = values.exclude ?? []
  const lists = flags.length > 0 ? flags : [process.env.RESOURCE_SHARING_EXCLUDE ?? '']
  const words = lists
    .flatMap((list) => list.split(',').map((word) => word.trim()))
    .filter((word) => word !== '')
  const excluded = words.map((word) => nodeNamed(nodes, word))
  const unknown = words.filter((_, index) => excluded[index] === undefined)
  if (unknown.length > 0 && flags.length > 0 && !values.quiet)
    note(`--exclude ${quoted(unknown.join(','))}: no machine of the mesh is called so`)
  return nodes.filter((node) => !excluded.includes(node))
}

function named(host: string, nodes: readonly MeshNode[]): MeshNode {
  const node = nodeNamed(nodes, host)
  if (node) return node
  const names = nodes.map(({ name }) => name).join(', ')
  throw new UsageError(`--host ${quoted(host)} is not in the mesh: it has ${names}`)
}

/** The hosts that the person names: by flags, else by the environment; undefined where tailscale is to tell. */
async function chosenHosts(values: MeshContext['values']): Promise<Host[] | undefined> {
  const lists = values.hosts ?? []
  const files = values['hosts-file'] ?? []
  if (lists.length > 0 || files.length > 0) {
    const listed = lists.flatMap((list) => parseHostList(list, '--hosts'))
    return [...listed, ...(await Promise.all(files.map((file) => hostsIn(file)))).flat()]
  }
  const variable = process.env.RESOURCE_SHARING_HOSTS ?? ''
  return variable === '' ? undefined : parseHostList(variable, 'RESOURCE_SHARING_HOSTS')
}

async function hostsIn(file: string): Promise<Host[]> {
  const { fs } = await import('zx')
  const text = await fs.readFile(file, 'utf8').catch((error: unknown) => {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new UsageError(
      `--hosts-file ${quoted(file)} ${missing ? 'does not exist' : `can't be read: ${messageOf(error)}`}`,
    )
  })
  return parseHostsFile(text, file)
}

/** The way to each node as it is now: asking a node is what makes its connection active. */
async function withConnections(
  reports: Report[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Report[]> {
  const leftMs = deadlineMs - performance.now()
  if (leftMs < 100) return reports
  const { tailnet } = await import('../lib/mesh/tailscale.ts')
  const later = await tailnet({ timeoutMs: leftMs, signal }).catch((error: unknown) => {
    if (error instanceof Interrupted || !(error instanceof Failure)) throw error
    return undefined
  })
  if (!later?.running) return reports
  const byAddress = new Map(later.nodes.map(({ address, connection }) => [address, connection]))
  return reports.map((report) => {
    const connection = byAddress.get(report.node.address)
    return connection ? { ...report, node: { ...report.node, connection } } : report
  })
}
