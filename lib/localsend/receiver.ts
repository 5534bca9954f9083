import { once } from 'node:events'
import { realpath } from 'node:fs/promises'
import type { Server } from 'node:http'
import { Failure } from '../errors.ts'
import { makeFolder } from '../state/make-folder.ts'
import { messageOf, quoted } from '../text.ts'
import { Callers, type Network } from './addresses.ts'
import { Desk } from './desk.ts'
import { ownInfo } from './device.ts'
import type { ReceiverEvent } from './events.ts'
import { removeLeftParts } from './folder.ts'
import type { Identity } from './identity.ts'
import { takeUpload } from './intake.ts'
import { LIMITS, type ReceiverLimits } from './limits.ts'
import { Pins } from './pins.ts'
import { Rejected, type Asked, type Reply } from './request.ts'
import { PREFIX } from './schema.ts'
import { serverFor } from './server.ts'
import { isIdle, isOver, Sessions } from './sessions.ts'

export type ReceiverOptions = {
  /** Where files go; made where it is missing. */
  folder: string
  /** Addresses to listen on. */
  listen: readonly string[]
  /** 0 takes one that is free. */
  port: number
  identity: Identity
  pin?: string
  /** Networks that may send besides this machine and its tailnet: with the PIN. */
  allow?: readonly Network[]
  insecureHttp?: boolean
  limits?: Partial<ReceiverLimits>
  tell: (event: ReceiverEvent) => void
}

export type Receiver = { port: number; close: () => Promise<void> }

const CLOSE_MS = 1000

/**
 * Receives what LocalSend peers send, until it is closed.
 *
 * @throws Failure when the folder can't be used or a port is taken
 */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const limits = { ...LIMITS, ...options.limits }
  const root = await usable(options.folder)
  const callers = new Callers(options.allow ?? [])
  const pins = new Pins(options.pin, limits.wrongPins)
  const parts = { root, limits, sessions: new Sessions(), tell: options.tell }
  const desk = new Desk({ ...parts, pins, callers, pinSet: options.pin !== undefined })
  const protocol = options.insecureHttp ? 'http' : 'https'
  const answerTo = async (asked: Asked): Promise<Reply> => {
    const info = { status: 200, body: ownInfo(options.identity.fingerprint, protocol, options.port) }
    const method = asked.message.method ?? ''
    const route = `${method} ${asked.path.replace(PREFIX, '')}`
    switch (asked.path.startsWith(PREFIX) ? route : '') {
      case 'GET info':
        return info
      case 'POST register':
        await desk.register(asked)
        return info
      case 'POST prepare-upload':
        return desk.prepare(asked)
      case 'POST upload':
        return takeUpload(asked, parts)
      case 'POST cancel': {
        const id = asked.query.get('sessionId') ?? ''
        const session = parts.sessions.find(id, asked.address, asked.fingerprint)
        if (session) await desk.end(session)
        return { status: 200 }
      }
      default:
        throw new Rejected(404, 'no such page')
    }
  }
  const endIfOver = () => {
    const { current } = parts.sessions
    if (current && (isOver(current) || isIdle(current, limits.idleMs))) void desk.end(current)
  }
  const servers = options.listen.map(() =>
    serverFor(answerTo, { ...options, limits, callers, answered: endIfOver }),
  )
  let { port } = options
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
      if (current) await desk.end(current)
      await Promise.all(
        servers.map(async (server) => {
          const closed = once(server, 'close')
          // What is being answered has a moment; what is idle has none.
          server.close()
          const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
          await closed
          clearTimeout(timer)
        }),
      )
    },
  }
}

async function usable(folder: string): Promise<string> {
  try {
    await makeFolder(folder)
    const root = await realpath(folder)
    await removeLeftParts(root)
    return root
  } catch (error) {
    throw new Failure(`the folder ${quoted(folder)} can't be used: ${messageOf(error)}`, { cause: error })
  }
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
