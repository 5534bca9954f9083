import type { Limits } from '../../lib/base/command.ts'
import { InputError } from '../../lib/base/errors.ts'
import type { Extremes, KnownMesh, KnownNodes } from '../../lib/mesh/known-mesh.ts'
import type { MeshNode } from '../../lib/mesh/node.ts'
import type { MeshInput } from './mesh.ts'

/**
 * What a server measures for everybody: thousands of machines by one question, where asking each by ssh takes a
 * connection each. What it can't know, processes and the marks of a machine's owner, is asked of those few that matter.
 */
export type Source = {
  from: 'prometheus' | 'nats'
  /** Whether it tells the marks of the machines' owners too. */
  marks: boolean
  /** All machines, or at least those that matter. @throws Failure in one line */
  ask: (wanted: Extremes | undefined, limits: Limits) => Promise<KnownMesh>
  /** All machines, without what was measured. @throws Failure in one line */
  nodes: (limits: Limits) => Promise<KnownNodes>
}

/** The server that the input, or else the environment, names; undefined where there is none. @throws UsageError */
export async function sourceOf(input: MeshInput): Promise<Source | undefined> {
  const { hosts = [], source = '' } = input
  if (source !== '' && hosts.length > 0)
    throw new InputError(
      'source',
      'says which machines there are, and so does --hosts: leave one of them out',
    )
  const text = source === '' ? (process.env.RESOURCE_SHARING_SOURCE ?? '') : source
  if (text === '' || hosts.length > 0) return undefined
  const configFile = given(input.sourceConfig, process.env.RESOURCE_SHARING_SOURCE_CONFIG)
  const nodeLabel = given(input.nodeLabel, process.env.RESOURCE_SHARING_NODE_LABEL)
  if (text.startsWith('nats=')) return await natsSource(text, configFile, nodeLabel)
  const [{ prometheusSettings }, { prometheusMesh, prometheusNodes }] = await Promise.all([
    import('../../lib/mesh/prometheus/settings.ts'),
    import('../../lib/mesh/prometheus/mesh.ts'),
  ])
  const settings = await prometheusSettings(text, {
    ...(configFile === undefined ? {} : { configFile }),
    ...(nodeLabel === undefined ? {} : { nodeLabel }),
  })
  return {
    from: 'prometheus',
    marks: false,
    ask: async (wanted, limits) => await prometheusMesh(settings, wanted, limits),
    nodes: async (limits) => await prometheusNodes(settings, limits),
  }
}

async function natsSource(text: string, configFile?: string, nodeLabel?: string): Promise<Source> {
  if (nodeLabel !== undefined)
    throw new InputError(
      'nodeLabel',
      'is for Prometheus: in a bucket of NATS, a machine is called as its key',
    )
  const [{ natsSettings }, { natsMesh }] = await Promise.all([
    import('../../lib/mesh/nats/settings.ts'),
    import('../../lib/mesh/nats/mesh.ts'),
  ])
  const settings = await natsSettings(text, configFile)
  return {
    from: 'nats',
    marks: true,
    ask: async (_, limits) => await natsMesh(settings, limits),
    nodes: async (limits) => ({
      nodes: (await natsMesh(settings, limits)).reports.map(({ node }) => node),
    }),
  }
}

function given(flag: string | undefined, variable: string | undefined): string | undefined {
  return flag ?? (variable === '' ? undefined : variable)
}

/**
 * The same nodes, those of the tailnet reached by its addresses, where there is one: keys of hosts are known there, and
 * what a server calls a machine need not be a name that this one can look up.
 */
export async function throughTailnet(nodes: readonly MeshNode[], limits: Limits): Promise<MeshNode[]> {
  const { tailnetIfKnown } = await import('../../lib/mesh/tailscale.ts')
  const found = await tailnetIfKnown(limits)
  if (!found.running) return [...nodes]
  const known = new Map<string, MeshNode>()
  for (const node of found.nodes)
    for (const name of [node.name, node.address, node.ssh?.tailnet?.dnsName, node.ssh?.tailnet?.ip])
      if (name !== undefined && name !== '') known.set(name.toLowerCase(), node)
  return nodes.map((node) => {
    const { ssh, self, left } = known.get(node.address.toLowerCase()) ?? {}
    if (self) return { name: node.name, address: node.address, os: node.os, self }
    return ssh && !left ? { ...node, ssh } : node
  })
}
