import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Failure } from '../../lib/base/errors.ts'
import { messageOf } from '../../lib/base/text.ts'
import { normal } from '../../lib/share/localsend/receiver/addresses.ts'
import { orderRefusal, refusalOf, type Refusal, type Rules } from './access.ts'
import type { Deeds } from './deeds.ts'
import { Audience, type AudienceLimits, type Subject } from './audience.ts'

/** What is to be seen. */
export type Site = Subject & {
  /** A document as it is now; undefined where there is none of that path. */
  document: (path: string, query: URLSearchParams) => string | undefined
  /** What does not change, by its path. */
  files: ReadonlyMap<string, { type: string; body: string }>
  /** What can be done from the page; without it, nothing. */
  deeds?: Deeds
  /** For Prometheus, in the format that it asks for. */
  metrics: (openMetrics: boolean) => string
}

export type ServerLimits = {
  connections: number
  connectionsPerAddress: number
  headerBytes: number
  requestMs: number
  audience: Partial<AudienceLimits>
}

const LIMITS: ServerLimits = {
  connections: 256,
  connectionsPerAddress: 48,
  headerBytes: 16 * 1024,
  requestMs: 10_000,
  audience: {},
}

export type Serving = { port: number; close: () => Promise<void> }

const CLOSE_MS = 500

/**
 * No script, style, picture or connection of elsewhere or within the document, no frame around it, and where the browser
 * knows of it, no text that becomes markup by a script.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

const TEXT = 'text/plain; charset=utf-8'
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/**
 * Serves a site on each of the addresses until it is closed.
 *
 * @param optional addresses that are left out where this machine does not have them
 * @throws Failure when it can't listen there
 */
export async function startServer(
  site: Site,
  {
    listen,
    optional = [],
    port: wanted,
    rules,
    limits: given = {},
  }: {
    listen: readonly string[]
    optional?: readonly string[]
    /** 0 takes one that is free. */
    port: number
    rules: Rules
    limits?: Partial<ServerLimits>
  },
): Promise<Serving> {
  const limits = { ...LIMITS, ...given }
  const audience = new Audience(site, limits.audience)
  const sockets = new Set<Socket>()
  const answer = (message: IncomingMessage, response: ServerResponse) => {
    message.on('error', () => {})
    response.on('error', () => {})
    void respond(message, response, { site, rules, audience }).catch((error: unknown) => {
      if (!response.headersSent) say(response, 500, `it failed: ${messageOf(error)}`)
      else response.destroy()
    })
  }
  const servers: Server[] = []
  let port = wanted
  const close = async () => {
    audience.close()
    await Promise.all(servers.map(async (server) => await closed(server, sockets)))
  }
  try {
    for (const address of [...listen, ...optional]) {
      const server = bounded(createServer(boundsOf(limits), answer), limits, sockets)
      const listening = await listenOn(server, address, port, optional.includes(address))
      if (listening === undefined) continue
      port = listening
      servers.push(server)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { port, close }
}

function boundsOf({ headerBytes, requestMs }: ServerLimits) {
  return {
    maxHeaderSize: headerBytes,
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    keepAliveTimeout: requestMs,
    connectionsCheckingInterval: 1000,
  }
}

function bounded(server: Server, limits: ServerLimits, sockets: Set<Socket>): Server {
  server.maxConnections = limits.connections
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    const address = normal(socket.remoteAddress ?? '')
    const ofAddress = [...sockets].filter((other) => normal(other.remoteAddress ?? '') === address).length
    if (ofAddress >= limits.connectionsPerAddress || sockets.size >= limits.connections) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('clientError', (_error, socket: Socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    setTimeout(() => socket.destroy(), 200).unref()
  })
  return server
}

type Parts = { site: Site; rules: Rules; audience: Audience }

async function respond(message: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  const { site, rules, audience } = parts
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
  const address = normal(message.socket.remoteAddress ?? '')
  const { pathname, searchParams } = new URL(message.url ?? '/', 'http://localhost')
  const asker = { address, method: message.method ?? '', headers: message.headers }
  const deeds = pathname === '/act' ? site.deeds : undefined
  const refusal = await refusalOf(asker, rules, deeds !== undefined)
  if (deeds && asker.method === 'POST' && refusal === undefined) {
    const forbidden = orderRefusal(asker, rules, deeds.ticket)
    if (forbidden === undefined) return await order(message, response, deeds)
    message.resume()
    return refuse(response, forbidden)
  }
  // Nothing else takes a body; one that is sent all the same is not waited for.
  message.resume()
  if (refusal) return refuse(response, refusal)
  if (pathname === '/metrics') {
    const openMetrics = message.headers.accept?.includes('application/openmetrics-text') ?? false
    const type = openMetrics ? OPEN_METRICS : 'text/plain; version=0.0.4; charset=utf-8'
    return send(response, 200, type, site.metrics(openMetrics))
  }
  if (pathname === '/events') {
    const machine = searchParams.get('machine') ?? undefined
    if (message.method === 'HEAD') return send(response, 200, 'text/event-stream; charset=utf-8', '')
    const admitted = audience.admit(response, address, machine)
    if (admitted === 'no such machine') return say(response, 404, 'no such machine')
    if (admitted === 'full') {
      response.setHeader('Retry-After', '30')
      return say(response, 503, 'as many look already as may')
    }
    return
  }
  const file = site.files.get(pathname)
  if (file) return send(response, 200, file.type, file.body)
  const document = site.document(pathname, searchParams)
  if (document === undefined) return say(response, 404, 'there is no such page')
  send(response, 200, 'text/html; charset=utf-8', document)
}

const MOST_ORDER_BYTES = 4096

async function order(message: IncomingMessage, response: ServerResponse, deeds: Deeds): Promise<void> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of message) {
    if (!Buffer.isBuffer(part)) continue
    bytes += part.length
    if (bytes > MOST_ORDER_BYTES) {
      response.setHeader('Connection', 'close')
      return say(response, 413, 'no order is so long')
    }
    parts.push(part)
  }
  const refused = deeds.begin(Buffer.concat(parts).toString())
  if (refused) say(response, refused.status, refused.says)
  else say(response, 202, 'it is under way')
}

function refuse(response: ServerResponse, { status, says }: Refusal): void {
  if (status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="mesh", charset="UTF-8"')
  if (status === 405) response.setHeader('Allow', 'GET, HEAD')
  response.setHeader('Connection', 'close')
  say(response, status, says)
}

function say(response: ServerResponse, status: number, says: string): void {
  send(response, status, TEXT, `${says}\n`)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.statusCode = status
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(body)
}

/** @returns the port; undefined where the address is optional and this machine does not have it */
async function listenOn(
  server: Server,
  host: string,
  port: number,
  optional: boolean,
): Promise<number | undefined> {
  try {
    server.listen({ host, port })
    await once(server, 'listening')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (optional && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) return undefined
    const why = WHY[code] ?? messageOf(error)
    throw new Failure(`can't listen on ${host}, port ${port}: ${why}`, { cause: error })
  }
  const address = server.address()
  return typeof address === 'object' && address ? address.port : port
}

const WHY: Record<string, string> = {
  EADDRINUSE: 'something listens there already: stop it, or say another port, as in --serve 8643',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'this user may not listen on that port: say one from 1024 on',
}

/** What is being answered has a moment; what is idle has none. */
async function closed(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const over = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), CLOSE_MS)
  await over
  clearTimeout(timer)
}
