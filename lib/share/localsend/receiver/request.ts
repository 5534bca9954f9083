import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { normal } from './addresses.ts'
import { fingerprintOf } from '../identity.ts'
import type { ReceiverLimits } from './limits.ts'

/** A request as the receiver's parts see it. */
export type Asked = {
  /** Of the sender, as it is compared. */
  address: string
  /** Of the certificate that it showed, if it did. */
  fingerprint?: string
  path: string
  query: URLSearchParams
  message: IncomingMessage
}

export type Reply = { status: number; body?: unknown }

/** A request that is answered with a status other than success, and why. */
export class Rejected extends Error {
  override name = 'Rejected'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** What a request asks for, and who asks: nothing of it has been read or checked yet but the certificate. */
export function askedBy(message: IncomingMessage): Asked {
  const { socket } = message
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  // Not `new URL`: a path that begins with two slashes would be another host's.
  const [path = '', ...query] = (message.url ?? '').split('?')
  return {
    address: normal(socket.remoteAddress ?? ''),
    ...(certificate ? { fingerprint: fingerprintOf(certificate) } : {}),
    path,
    query: new URLSearchParams(query.join('?')),
    message,
  }
}

/** The JSON of a request's body. @throws Rejected when it is too long, too slow, or no JSON */
export async function jsonOf(
  { message }: Asked,
  { jsonBytes, requestMs }: Pick<ReceiverLimits, 'jsonBytes' | 'requestMs'>,
): Promise<unknown> {
  if (Number(message.headers['content-length'] ?? 0) > jsonBytes) throw new Rejected(413, 'too long')
  const chunks: Buffer[] = []
  let bytes = 0
  let late = false
  const timer = setTimeout(() => {
    late = true
    message.destroy()
  }, requestMs)
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > jsonBytes) throw new Rejected(413, 'too long')
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof Rejected) throw error
    throw new Rejected(408, late ? 'too slow' : 'the connection broke')
  } finally {
    clearTimeout(timer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks, bytes).toString('utf8'))
  } catch {
    throw new Rejected(400, 'not JSON')
  }
}

/** How long somebody may go on sending what is not wanted, so that they read why. */
const LINGER_MS = 1000

/** Answers; a sender that has not finished is cut off soon after. */
export function answer(message: IncomingMessage, response: ServerResponse, { status, body }: Reply): void {
  if (response.headersSent || response.destroyed) return
  const text = body === undefined ? '' : JSON.stringify(body)
  if (!message.complete) {
    response.setHeader('connection', 'close')
    message.resume()
    const timer = setTimeout(() => message.socket.destroy(), LINGER_MS)
    message.socket.once('close', () => clearTimeout(timer))
  }
  const headers = text === '' ? {} : { 'content-type': 'application/json' }
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) })
  response.end(status === 204 ? undefined : text)
}
