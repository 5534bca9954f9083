import type { SocketFacts, SourceFacts, TargetFacts } from '../facts/facts.ts'
import type { Refusal } from '../facts/refusal.ts'
import { addressText, isWildcard, overlap } from '../facts/addresses.ts'
import { GET_NEWER, movesSockets } from './criu-version.ts'
import { holderOf } from './sockets.ts'
import { shown, some, who } from './words.ts'

/** `tcp6` and `udplite` are what `tcp` and `udp` are. */
const FAMILIES = { tcp: 'tcp', udp: 'udp', udplite: 'udp', icmp: 'raw', raw: 'raw', packet: 'raw' } as const
type Family = 'tcp' | 'udp' | 'raw' | 'unknown'
const FAMILY_NAMES: Record<Family, string> = {
  tcp: 'a TCP socket',
  udp: 'a UDP socket',
  raw: 'a raw socket',
  unknown: 'a socket that is not bound, or of a kind that this program does not know',
}
/** States of a socket, as /proc/net/tcp and /proc/net/udp write them. */
const LISTENING = '0A'
const ESTABLISHED = '01'

export function familyOf({ table }: SocketFacts): Family | undefined {
  if (table === 'unix' || table === 'netlink') return undefined
  const family = Object.entries(FAMILIES).find(([name]) => name === table?.replace(/6$/, ''))?.[1]
  return family ?? 'unknown'
}

const isTcp = (socket: SocketFacts) => familyOf(socket) === 'tcp'
const isListening = (socket: SocketFacts) => isTcp(socket) && socket.state === LISTENING
/** Connected, about to be, or no longer. */
const isConnection = (socket: SocketFacts) => isTcp(socket) && socket.state !== LISTENING
const isConnectedUdp = (socket: SocketFacts) => familyOf(socket) === 'udp' && socket.state === ESTABLISHED

/** Those that listen for connections. */
export function listeners({ sockets }: SourceFacts): SocketFacts[] {
  return sockets.filter((socket) => isListening(socket))
}

export function connections({ sockets }: SourceFacts): SocketFacts[] {
  return sockets.filter((socket) => isConnection(socket))
}

/** Sockets of the network that stay: all with an older criu, and those that nobody could give to a copy with any. */
export function networkSockets(source: SourceFacts, closeConnections: boolean): Refusal[] {
  const { sockets } = source
  const of = (kind: (socket: SocketFacts) => boolean) => sockets.filter((socket) => kind(socket))
  if (!movesSockets(source.criu)) {
    return (['tcp', 'udp', 'raw', 'unknown'] as const).flatMap((family) => {
      const advice =
        family === 'raw'
          ? 'start it there instead'
          : `criu 4.2 or newer on both machines moves it: ${GET_NEWER}`
      const is = of((socket) => familyOf(socket) === family)
      const what = `which criu ${shown(source.criu?.version ?? '')} can't move`
      return refusal(
        source,
        `${family}-socket`,
        is,
        `${FAMILY_NAMES[family]}${portsOf(family, is)}`,
        what,
        advice,
      )
    })
  }
  const shared = of((socket) => familyOf(socket) !== undefined && isShared(socket, source))
  return [
    refusal(
      source,
      'raw-socket',
      of((socket) => familyOf(socket) === 'raw'),
      FAMILY_NAMES.raw,
      "which can't move",
      'start it there instead',
    ),
    refusal(
      source,
      'udp-socket',
      of(isConnectedUdp),
      `a connected UDP socket${portsOf('udp', of(isConnectedUdp))}`,
      'and nobody could tell who is at its other end there',
      'try again when it has closed that; one that is not connected moves',
    ),
    refusal(
      source,
      'tcp-connection',
      closeConnections ? [] : connections(source),
      `connections${portsOf('tcp', connections(source))}`,
      "which can't move along",
      '--close-connections closes them: a program that connects again, or serves others, goes on',
    ),
    refusal(
      source,
      'socket-outside',
      shared,
      `a socket${portsOf('tcp', shared)} that another process has too`,
      'and that one would not move with it',
      'move what has started both',
    ),
  ].flat()
}

function isShared({ inode }: SocketFacts, { outside }: SourceFacts): boolean {
  return outside.some((holder) => holder.inode === inode)
}

function refusal(
  source: SourceFacts,
  code: string,
  sockets: readonly SocketFacts[],
  has: string,
  why: string,
  advice: string,
): Refusal[] {
  if (sockets.length === 0) return []
  const holders = some(sockets.map((socket) => holderOf(source, socket)))
  return [{ code, sentence: `${holders} has ${has}, ${why}`, advice, at: 'source' }]
}

function portsOf(family: Family, sockets: readonly SocketFacts[]): string {
  if (family !== 'tcp' && family !== 'udp') return ''
  const ports = sockets.map(
    (socket) => `${isListening(socket) ? 'listens on ' : ''}port ${socket.port ?? 'of no number'}`,
  )
  return ` (${some(ports)})`
}

/** Sockets that have an address of their own there: those that listen, and those of UDP. */
function bound({ sockets }: SourceFacts): SocketFacts[] {
  return sockets.filter((socket) => isListening(socket) || familyOf(socket) === 'udp')
}

/** Ports of the target that have to be free. */
export function portsOfTree(source: SourceFacts): number[] {
  return [...new Set(bound(source).flatMap(({ port }) => port ?? []))]
}

/**
 * What listens here has to be able to listen there: at an address that the target has, on a port that nobody there has.
 * Not even where both would let it be shared (SO_REUSEPORT): what comes to a program of the target's stays its own.
 */
export function addressesFree(source: SourceFacts, target: TargetFacts): Refusal[] {
  const { host, arch, addresses = [], inUse = [] } = target
  const own = bound(source)
  const absent = own.filter(({ address = '' }) => {
    if (isWildcard(address)) return false
    const text = addressText(address, arch)
    return !text.startsWith('127.') && !addresses.includes(text)
  })
  const taken = own.filter((socket) => inUse.some((other) => overlap(socket, other)))
  const named = (sockets: readonly SocketFacts[]) =>
    some(sockets.map(({ address = '', port = 0 }) => `${addressText(address, arch)} port ${port}`))
  const [task] = source.tree
  return [
    ...(absent.length === 0
      ? []
      : [
          {
            code: 'address-missing',
            sentence: `${host} does not have the address on which ${who(task)} listens: ${named(absent)}`,
            advice: 'what listens on all addresses, or on 127.0.0.1, can move',
            at: 'target' as const,
          },
        ]),
    ...(taken.length === 0
      ? []
      : [
          {
            code: 'port-taken',
            sentence: `${host}: somebody has a port there on which ${who(task)} listens: ${named(taken)}`,
            advice: 'end that there, or another machine with --target',
            at: 'target' as const,
          },
        ]),
  ]
}
