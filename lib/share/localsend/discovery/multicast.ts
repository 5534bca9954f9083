import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../base/errors.ts'
import { messageOf } from '../../../base/text.ts'
import { ownInfo } from '../device.ts'
import type { Identity } from '../identity.ts'
import { Callers, parseNetwork } from '../receiver/addresses.ts'
import { LIMITS } from '../receiver/limits.ts'
import { jsonOf, Rejected, type Asked, type Reply } from '../receiver/request.ts'
import { serverFor } from '../receiver/server.ts'
import { Info, PORT, PREFIX } from '../schema.ts'

/** Who has answered, from where. What it says of itself is not proved: its certificate shows when it is asked. */
export type Heard = { address: string; info: Info }

/** An IPv4 address of this machine and its network, as `networkInterfaces` has them. */
export type Interface = { address: string; cidr: string }

export const GROUP = '224.0.0.167'
/** When the official app announces itself, after the first moment. */
const ANNOUNCED_MS = [100, 600, 2000] as const
const LISTEN_MS = 2800
/** Who sends more answers than a network has machines is not listened to. */
const MOST_HEARD = 1000

/**
 * Announces this machine on its local networks, as the LocalSend app does when it is opened, and listens for who answers:
 * by a datagram, or by introducing themselves over HTTPS to a server that is there meanwhile.
 *
 * @returns each once, after about three seconds
 * @throws Failure when the port of LocalSend can't be listened at; the signal's reason
 */
export async function discover(
  identity: Identity,
  signal: AbortSignal,
  interfaces: readonly Interface[] = ownInterfaces(),
): Promise<Heard[]> {
  signal.throwIfAborted()
  const callers = new Callers(interfaces.map(({ cidr }) => parseNetwork(cidr, 'a network of this machine')))
  const heard = new Map<string, Heard>()
  const hear = (address: string, said: unknown) => {
    // The sender of a datagram can be invented: nobody elsewhere is made known by it.
    const info = callers.classOf(address) === 'stranger' ? undefined : Info.safeParse(said).data
    if (info === undefined || info.fingerprint === '' || info.fingerprint === identity.fingerprint) return
    if (heard.size < MOST_HEARD) heard.set(`${address} ${info.port}`, { address, info })
  }
  const server = introductions(identity, callers, hear)
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  try {
    server.listen(0)
    await once(server, 'listening')
    const bound = server.address()
    const port = typeof bound === 'object' && bound ? bound.port : PORT
    await join(socket, interfaces)
    socket.on('message', (datagram, { address }) => hear(address, parsed(datagram)))
    const announcement = JSON.stringify({ ...ownInfo(identity.fingerprint, 'https', port), announce: true })
    let gone = 0
    for (const atMs of [...ANNOUNCED_MS, LISTEN_MS]) {
      await sleep(atMs - gone, undefined, { signal }).catch(() => signal.throwIfAborted())
      gone = atMs
      if (atMs !== LISTEN_MS) await announce(socket, announcement, interfaces)
    }
    return [...heard.values()]
  } finally {
    socket.close()
    server.close()
    server.closeAllConnections()
  }
}

/** Every IPv4 address of this machine on a network with others. */
function ownInterfaces(): Interface[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .flatMap(({ family, internal, address, cidr }) =>
      family === 'IPv4' && !internal && cidr !== null ? [{ address, cidr }] : [],
    )
}

/** A server that hears introductions from these networks, and takes nothing else. */
function introductions(identity: Identity, callers: Callers, hear: (address: string, said: unknown) => void) {
  const answerTo = async (asked: Asked): Promise<Reply> => {
    if (asked.path !== `${PREFIX}register`) throw new Rejected(404, 'no such page')
    hear(asked.address, await jsonOf(asked, LIMITS))
    return { status: 200, body: ownInfo(identity.fingerprint, 'https', PORT) }
  }
  return serverFor(answerTo, { identity, limits: LIMITS, callers, answered: () => {}, tell: () => {} })
}

async function join(socket: Socket, interfaces: readonly Interface[]): Promise<void> {
  try {
    socket.bind(PORT)
    await once(socket, 'listening')
  } catch (error) {
    throw new Failure(`can't listen for LocalSend at UDP port ${PORT}: ${messageOf(error)}`, { cause: error })
  }
  socket.on('error', () => {})
  for (const { address } of interfaces)
    try {
      socket.addMembership(GROUP, address)
    } catch {
      // A device without multicast, as a VPN has: nobody is found there.
    }
}

async function announce(socket: Socket, text: string, interfaces: readonly Interface[]): Promise<void> {
  for (const { address } of interfaces)
    try {
      socket.setMulticastInterface(address)
      // It goes out by the interface that is set when it is sent, which is later than the call.
      await new Promise((sent) => socket.send(text, PORT, GROUP, sent))
    } catch {
      // The same.
    }
}

function parsed(datagram: Buffer): unknown {
  try {
    return JSON.parse(datagram.toString('utf8'))
  } catch {
    return undefined
  }
}
