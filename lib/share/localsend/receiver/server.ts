import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import { normal, type Callers } from './addresses.ts'
import type { ReceiverEvent } from './events.ts'
import type { Identity } from '../identity.ts'
import type { ReceiverLimits } from './limits.ts'
import { answer, askedBy, Rejected, type Asked, type Reply } from './request.ts'

export type ServerOptions = {
  identity: Identity
  insecureHttp?: boolean
  limits: ReceiverLimits
  callers: Callers
  /** Called when an answer has left. */
  answered: () => void
  tell: (event: ReceiverEvent) => void
}

/** A server that talks only to who may talk, with bounds on whatever they send. */
export function serverFor(answerTo: (asked: Asked) => Promise<Reply>, options: ServerOptions): Server {
  const { identity, limits, callers, tell, answered } = options
  const bounds = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.requestMs,
    // An upload may take as long as it moves: its pace is watched.
    requestTimeout: 0,
    keepAliveTimeout: limits.requestMs,
    connectionsCheckingInterval: 500,
    highWaterMark: 256 * 1024,
  }
  const tls = {
    key: identity.key,
    cert: identity.cert,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2' as const,
    handshakeTimeout: limits.requestMs,
  }
  const handle = (message: IncomingMessage, response: ServerResponse) => {
    message.on('error', () => {})
    response.on('error', () => {})
    response.once('close', answered)
    void respond(message, response)
  }
  const respond = async (message: IncomingMessage, response: ServerResponse) => {
    const asked = askedBy(message)
    try {
      answer(message, response, await answerTo(asked))
    } catch (error) {
      const rejected = error instanceof Rejected ? error : new Rejected(500, 'it failed')
      const reason = error instanceof Rejected ? error.message : String(error)
      tell({ event: 'refused', from: '', address: asked.address, status: rejected.status, reason })
      answer(message, response, { status: rejected.status, body: { message: rejected.message } })
    }
  }
  const server: Server = options.insecureHttp
    ? createHttp(bounds, handle)
    : createHttps({ ...bounds, ...tls }, handle)
  server.maxConnections = limits.connections
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    const address = normal(socket.remoteAddress ?? '')
    const count = open.get(address) ?? 0
    if (callers.classOf(address) === 'stranger' || count >= limits.connectionsPerAddress) {
      socket.destroy()
      return
    }
    open.set(address, count + 1)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left === 0) open.delete(address)
      else open.set(address, left)
    })
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const status =
      error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    if (socket.writable && error.code !== 'ECONNRESET')
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`)
    setTimeout(() => socket.destroy(), 200).unref()
  })
  return server
}
