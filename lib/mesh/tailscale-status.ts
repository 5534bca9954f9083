import { isIP } from 'node:net'
import { z } from 'zod'
import { Failure } from '../base/errors.ts'
import { plain, quoted } from '../base/text.ts'
import type { Connection, MeshNode } from './node.ts'

// What another machine or a later version of tailscale may leave out or fill with something else reads as absent.
const text = z.string().catch('')
const flag = z.boolean().catch(false)
const texts = z.array(z.string()).nullish().catch(null)
const Peer = z.object({
  DNSName: text,
  OS: text,
  TailscaleIPs: texts,
  UserID: z.number().catch(0),
  Online: flag,
  Active: flag,
  CurAddr: text,
  Relay: text,
  LastSeen: text,
  ShareeNode: flag,
  Expired: flag,
  Location: z.unknown().optional(),
  Tags: texts,
  sshHostKeys: texts,
})
type Peer = z.infer<typeof Peer>
type Users = Record<string, unknown> | null | undefined
const Status = z.object({
  BackendState: z.string(),
  TUN: z.boolean().catch(true),
  Self: Peer.nullish().catch(null),
  User: z.record(z.string(), z.unknown()).nullish().catch(null),
  Peer: z.record(z.string(), z.unknown()).nullish().catch(null),
})

/** Where this machine is in its tailnet: its addresses, and its whole DNS name, empty where it has none. */
export type OwnPlace = { addresses: string[]; dnsName: string }

/** A status without `Online` of its own says nothing of it, where a peer without it is offline. */
const Lost = z.object({ Self: z.object({ Online: z.literal(false) }) })

/** What to do in each state of tailscale's in which there is no tailnet. The states are ipn.State's. */
const NOT_RUNNING: Record<string, string> = {
  Stopped: 'Tailscale is stopped: run `tailscale up`',
  NeedsLogin: 'Tailscale is logged out: run `tailscale up`',
  NeedsMachineAuth: 'Tailscale waits for this machine to be approved: ask an admin of the tailnet',
  Starting: 'Tailscale is starting: try again in a moment',
  NoState: 'Tailscale is starting: try again in a moment',
  InUseOtherUser: 'Tailscale is in use by another user of this machine',
}

/** Systems without a `sh` for the probe, in lower case. */
const NO_SHELL: Record<string, string> = {
  ios: 'a phone or tablet (iOS)',
  android: 'a phone or tablet (Android)',
  tvos: 'a TV (tvOS)',
  windows: 'Windows has no sh',
  js: 'a browser',
}

/** Tailscale answers from what it knew when it was connected last, and that is what it knows of its peers. */
const LOST =
  "this machine has lost Tailscale's coordination server: which machines are online is not known, so all are asked"

/**
 * The nodes in the output of `tailscale status --json`, this machine first. Where it can't know who is online, none is
 * taken for offline, and `warning` says so. With `userspace` the system has no way to the others, and only tailscaled does.
 *
 * @throws Failure when it is something else, or tailscale is in a state other than Running
 */
export function parseStatus(output: string): {
  nodes: MeshNode[]
  own: OwnPlace
  warning?: string
  userspace?: true
} {
  const status = Status.safeParse(json(output)).data
  if (status === undefined)
    throw new Failure('`tailscale status --json` printed something else: is it the real tailscale?')
  if (status.BackendState !== 'Running') {
    const known = NOT_RUNNING[status.BackendState]
    throw new Failure(
      known ?? `Tailscale is in the state ${quoted(status.BackendState)}: run \`tailscale up\``,
    )
  }
  if (!status.Self) throw new Failure('`tailscale status --json` does not tell which machine this is')
  const peers = Object.values(status.Peer ?? {}).map((peer) => Peer.safeParse(peer).data)
  const families = new Set((status.Self.TailscaleIPs ?? []).map((address) => isIP(address)))
  const known = peers.flatMap((peer) => (peer ? [within(families, peer)] : []))
  const nameOf = naming([status.Self, ...known])
  const self: MeshNode = { ...facts(status.Self, nameOf(status.Self)), self: true }
  const lost = Lost.safeParse(json(output)).success
  // What is not told to be offline is asked.
  const peersNow = lost ? known.map((peer) => ({ ...peer, Online: true })) : known
  const nodes = [self, ...peersNow.map((peer) => peerNode(peer, nameOf(peer), status.User))]
  const addresses = (status.Self.TailscaleIPs ?? []).filter((address) => isIP(address) !== 0)
  return {
    nodes,
    own: { addresses, dnsName: dnsName(status.Self) },
    ...(lost ? { warning: LOST } : {}),
    ...(status.TUN ? {} : { userspace: true }),
  }
}

/** A peer with those of its addresses that can be reached from here; where none is known to be, with all. */
function within(families: ReadonlySet<number>, peer: Peer): Peer {
  const reachable = (peer.TailscaleIPs ?? []).filter((address) => families.has(isIP(address)))
  return reachable.length > 0 ? { ...peer, TailscaleIPs: reachable } : peer
}

/** Names a peer by its first label, the whole DNS name where that is taken too, else its address. */
function naming(peers: readonly Peer[]): (peer: Peer) => string {
  const choices = [label, dnsName, ip].map((choice) => {
    const counts = new Map<string, number>()
    for (const peer of peers) counts.set(choice(peer), (counts.get(choice(peer)) ?? 0) + 1)
    return (peer: Peer) => (counts.get(choice(peer)) === 1 ? choice(peer) : '')
  })
  return (peer) => choices.map((choice) => choice(peer)).find((name) => name !== '') ?? ip(peer)
}

function json(output: string): unknown {
  try {
    return JSON.parse(output)
  } catch {
    return undefined
  }
}

/** The name that the coordination server gave, without the last dot; empty where it is no host name. */
function dnsName(peer: Peer): string {
  const name = peer.DNSName.replace(/\.$/, '')
  return /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*$/.test(name) ? name : ''
}

function label(peer: Peer): string {
  return dnsName(peer).split('.')[0] ?? ''
}

function ip(peer: Peer): string {
  const addresses = (peer.TailscaleIPs ?? []).filter(
    (address) => isIP(address) !== 0 && !address.includes('%'),
  )
  return addresses.find((address) => isIP(address) === 4) ?? addresses[0] ?? ''
}

function facts(peer: Peer, name: string): MeshNode {
  return { name, address: ip(peer), os: plain(peer.OS, 20) || 'unknown', self: false }
}

function peerNode(peer: Peer, name: string, users: Users): MeshNode {
  const left = whyLeft(peer, users)
  const node: MeshNode = { ...facts(peer, name), connection: connectionOf(peer) }
  if (left) return { ...node, left }
  const tailnet = { ip: ip(peer), dnsName: dnsName(peer) || ip(peer), hostKeys: hostKeys(peer) }
  return { ...node, ssh: { host: name, tailnet } }
}

function whyLeft(peer: Peer, users: Users): MeshNode['left'] {
  const noShell = NO_SHELL[peer.OS.toLowerCase()]
  if (isMullvad(peer, users)) return skipped('a Mullvad exit node')
  if (noShell !== undefined) return { ...skipped(noShell), answers: true }
  if (peer.ShareeNode) return skipped('only shared with: another tailnet uses this one, not the other way')
  if (peer.Expired) return skipped('its key has expired: log in there again')
  if (ip(peer) === '') return skipped('it has no tailnet address')
  if (!peer.Online) return { outcome: 'offline', reason: lastSeen(peer) }
  return undefined
}

const skipped = (reason: string) => ({ outcome: 'skipped', reason }) as const

/** A Mullvad exit node has a location and belongs to nobody; an exit node of one's own may have a location too. */
function isMullvad(peer: Peer, users: Users): boolean {
  if (!peer.Location) return false
  const nobodys = peer.UserID <= 0 || (users ? !Object.hasOwn(users, String(peer.UserID)) : false)
  return nobodys || (peer.Tags ?? []).includes('tag:mullvad-exit-node')
}

function lastSeen(peer: Peer): string {
  const seen = /^(20\d\d-\d\d-\d\d)T(\d\d:\d\d)/.exec(peer.LastSeen)
  return seen ? `last seen ${seen[1]} ${seen[2]} UTC` : 'not connected to the tailnet'
}

function connectionOf(peer: Peer): Connection {
  const { Active: active, CurAddr: direct, Relay: relay } = peer
  if (active && direct !== '') return { trit: 1, via: 'direct', over: plain(direct, 60) }
  if (active && relay !== '') return { trit: 0, via: 'relay', over: plain(relay, 20) }
  return { trit: -1, via: 'none' }
}

/** Only what a line of a known-hosts file can hold: a key type and its base64. */
function hostKeys(peer: Peer): string[] {
  return (peer.sshHostKeys ?? [])
    .map((key) => /^([a-z0-9@.-]{1,64}) ([A-Za-z0-9+/]{16,8192}={0,2})(?: |$)/.exec(key.trim()))
    .flatMap((match) => (match ? [`${match[1]} ${match[2]}`] : []))
}
