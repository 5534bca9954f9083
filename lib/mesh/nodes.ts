import { hostname, networkInterfaces } from 'node:os'
import type { Limits } from '../base/command.ts'
import { isHost, type NamedHost } from './hosts.ts'
import type { MeshNode } from './node.ts'
import { thisMachine } from './this-machine.ts'

/** Who named the nodes: the person, tailscale, a server that measures them, or nobody. */
export type MeshOrigin = 'hosts' | 'tailnet' | 'prometheus' | 'nats' | 'alone'

export type Mesh = {
  /** This machine and the others, each name once. */
  nodes: MeshNode[]
  from: MeshOrigin
  /** What a person should know about where the nodes come from. */
  hint?: string
  /** What may keep nodes from being known or reached; a person has to know it, also one who wants to hear little. */
  warning?: string
}

/**
 * The nodes of the mesh: those that the person names, else the tailnet's, else this machine alone.
 *
 * @throws Failure when there is a tailscale that can't tell
 */
export async function meshNodes(hosts: readonly NamedHost[] | undefined, limits: Limits): Promise<Mesh> {
  if (hosts) return { nodes: [thisMachine(), ...namedNodes(hosts)], from: 'hosts' }
  const { tailnet } = await import('./tailscale.ts') // not loaded for hosts that a person names
  const found = await tailnet(limits)
  if (found.running) {
    const { nodes, warning } = found
    return { nodes, from: 'tailnet', ...(warning === undefined ? {} : { warning }) }
  }
  const told = `this machine alone: ${found.why}; add others with --hosts a,b or RESOURCE_SHARING_HOSTS=a,b`
  return { nodes: [thisMachine()], from: 'alone', [found.installed ? 'warning' : 'hint']: told }
}

/**
 * The node of a name, as tables show it or as `--hosts` was told it.
 *
 * @returns undefined where the mesh has none
 */
export function nodeNamed(nodes: readonly MeshNode[], text: string): MeshNode | undefined {
  return nodes.find(({ name }) => name === text) ?? nodes.find(({ name }) => name === withoutColons(text))
}

/** A named host that is this machine is left out: it is measured anyway, and would count twice. */
export function namedNodes(hosts: readonly NamedHost[]): MeshNode[] {
  const own = ownNames()
  const others = hosts.filter(({ host, port }) => !own.has(host.toLowerCase()) || (port ?? 22) !== 22)
  const counts = new Map<string, number>()
  for (const { host } of others) counts.set(host, (counts.get(host) ?? 0) + 1)
  const names = new Set<string>()
  return others.map(({ text, ...ssh }) => {
    const taken = (counts.get(ssh.host) ?? 0) > 1 || own.has(ssh.host.toLowerCase())
    const wanted = withoutColons(taken ? text : ssh.host)
    let name = wanted
    for (let count = 2; names.has(name); count += 1) name = `${wanted}-${count}`
    names.add(name)
    return { name, address: ssh.host, os: 'unknown', self: false, ssh }
  })
}

/**
 * A node at an address that somebody else has named: ssh is told nothing that could be an option.
 *
 * @param own names and addresses of this machine; who makes many nodes asks for them once
 */
export function nodeAt(address: string, os: string, own: ReadonlySet<string> = ownNames()): MeshNode {
  const self = own.has(address.toLowerCase())
  const reached = !self && isHost(address) ? { ssh: { host: address } } : {}
  return { name: address, address, os, self, ...reached }
}

/** People cut names at a colon, as in `find-minus | head -1 | cut -d: -f1` and `HOST:PID`: a name has none. */
export function withoutColons(text: string): string {
  return text.replaceAll(/[[\]]/g, '').replaceAll(':', '-')
}

/** What this machine is called, and its addresses. */
export function ownNames(): Set<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  const names = [hostname(), hostname().split('.')[0] ?? '', 'localhost']
  return new Set([...names.map((name) => name.toLowerCase()), ...addresses.map(({ address }) => address)])
}
