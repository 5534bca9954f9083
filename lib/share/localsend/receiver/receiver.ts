import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { Failure } from '../../../base/errors.ts'
import { messageOf } from '../../../base/text.ts'
import { Callers, type Network } from './addresses.ts'
import { Offers, type Decide } from './offers.ts'
import { ownInfo, type Introduction } from '../device.ts'
import type { ReceiverEvent } from './events.ts'
import { usableFolder } from './folder.ts'
import type { Identity } from '../identity.ts'
import { takeUpload } from './intake.ts'
import { LIMITS, type ReceiverLimits } from './limits.ts'
import { Pins } from './pins.ts'
import { Rejected, type Asked, type Reply } from './request.ts'
import { PREFIX } from '../schema.ts'
import { serverFor } from './server.ts'
import { isIdle, isOver, Sessions } from './sessions.ts'
import { THROUGHPUT_PATH, ThroughputSink } from './throughput.ts'

export type ReceiverOptions = {
  /** Where files go; made where it is missing. */
  folder: string
  /** Addresses to listen on. */
  listen: readonly string[]
  /** 0 takes one that is free. */
  port: number
  identity: Identity
  /** What it calls itself. */
  introduction?: Introduction
  pin?: string
  /** Networks that may send besides this machine and its tailnet: with the PIN. */
  allow?: readonly Network[]
  insecureHttp?: boolean
  limits?: Partial<ReceiverLimits>
  tell: (event: ReceiverEvent) => void
}

/** Of a receiver that has no folder of its own: each offer is decided when it comes. */
export type DecidingOptions = Omit<ReceiverOptions, 'folder'> & { decide: Decide }

export type Receiver = { port: number; close: () => Promise<void> }

const CLOSE_MS = 1000

/**
 * Receives what LocalSend peers send, until it is closed.
 *
 * @throws Failure when the folder can't be used or a port is taken
 */
export async function startReceiver(options: ReceiverOptions | DecidingOptions): Promise<Receiver> {
  const limits = { ...LIMITS, ...options.limits }
  const decide = 'decide' in options ? options.decide : always(await usableFolder(options.folder))
  const callers = new Callers(options.allow ?? [])
  const pins = new Pins(options.pin, limits.wrongPins)
  const parts = { limits, sessions: new Sessions(), tell: options.tell }
  const offers = new Offers({ ...parts, decide, pins, callers, pinSet: options.pin !== undefined })
  const sink = new ThroughputSink()
  const protocol = options.insecureHttp ? 'http' : 'https'
  let { port } = options
  const connections = new Set<Socket>()
  const answerTo = async (asked: Asked): Promise<Reply> => {
    const own = ownInfo(options.identity.fingerprint, protocol, port, options.introduction)
    const info = { status: 200, body: own }
    const method = asked.message.method ?? ''
    const route = `${method} ${asked.path.replace(PREFIX, '')}`
    switch (asked.path.startsWith(PREFIX) ? route : '') {
      case 'GET info':
        return info
      case 'POST register':
        await offers.register(asked)
        return info
      case 'POST prepare-upload':
        return offers.prepare(asked)
      case 'POST upload':
        return takeUpload(asked, parts)
      case 'POST cancel': {
        const id = asked.query.get('sessionId')
        if (id === null) offers.withdraw(asked.address)
        const session = parts.sessions.find(id ?? '', asked.address, asked.fingerprint)
        if (session) await offers.end(session)
        return { status: 200 }
      }
      case `POST ${THROUGHPUT_PATH}`:
        return sink.take(asked, callers, limits)
      default:
        throw new Rejected(404, 'no such page')
    }
  }
  const endIfOver = () => {
    const { current } = parts.sessions
    if (current && (isOver(current) || isIdle(current, limits.idleMs))) void offers.end(current)
  }
  const servers = options.listen.map(() =>
    serverFor(answerTo, { ...options, limits, callers, answered: endIfOver }),
  )
  for (const server of servers)
    server.on('connection', (socket: Socket) => {
      connections.add(socket)
      socket.once('close', () => connections.delete(socket))
    })
  try {
    for (const [index, server] of servers.entries())
      port = await listenOn(server, options.listen[index] ?? '', port)
  } catch (error) {
    servers.forEach((server) => server.close())
    throw error
  }
  const ticking = setInterval(endIfOver, 1000)
  return {
    port,
    close: async () => {
      clearInterval(ticking)
      const { current } = parts.sessions
      if (current) await offers.end(current)
      await Promise.all(
        servers.map(async (server) => {
          const closed = once(server, 'close')
          // What is being answered has a moment; what is idle has none.
          server.close()
          // Those that have not got as far as a request are not among the server's own.
          const timer = setTimeout(() => connections.forEach((socket) => socket.destroy()), CLOSE_MS)
          await closed
          clearTimeout(timer)
        }),
      )
    },
  }
}

function always(root: string): Decide {
  return async () => root
}

async function listenOn(server: Server, host: string, port: number): Promise<number> {
  try {
    server.listen({ host, port })
    await once(server, 'listening')
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    const why = taken
      ? 'something listens there already, LocalSend perhaps: stop it, or take another --port'
      : messageOf(error)
    throw new Failure(`can't listen on ${host}, port ${port}: ${why}`, { cause: error })
  }
  const address = server.address()
  return typeof address === 'object' && address ? address.port : port
}
