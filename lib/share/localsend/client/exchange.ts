import { request, type Agent, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { plain } from '../../../base/text.ts'
import type { Endpoint } from './connection.ts'
import { PREFIX, Refusal } from '../schema.ts'

export type Answer = { status: number; body: unknown }
export type Request = {
  method: 'GET' | 'POST'
  /** After the protocol's prefix. */
  path: string
  query?: Readonly<Record<string, string>>
  headers?: OutgoingHttpHeaders
  /** A value that is sent as JSON, or bytes as they come. */
  body?: { json: unknown } | { stream: Readable }
  /** Without anything moving on the connection for so long, it is broken. */
  silenceMs: number
}

const MAX_ANSWER_BYTES = 16_000_000

/**
 * One request and its answer. Redirects are answers like any other, and no proxy is asked.
 *
 * @throws what the connection or the stream broke with
 */
export async function exchange(
  agent: Agent,
  { address, port }: Endpoint,
  { method, path, query = {}, headers = {}, body, silenceMs }: Request,
  signal: AbortSignal,
): Promise<Answer> {
  const search = new URLSearchParams(query).toString().replaceAll('+', '%20')
  const json = body && 'json' in body ? Buffer.from(JSON.stringify(body.json)) : undefined
  const type = json ? { 'content-type': 'application/json', 'content-length': json.length } : {}
  const sent = request({
    agent,
    host: address,
    port,
    method,
    path: `${PREFIX}${path}${search === '' ? '' : `?${search}`}`,
    headers: { ...type, ...headers },
    signal,
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
    sent.setTimeout(silenceMs, () => {
      sent.destroy(new Error(`nothing moved for ${silenceMs / 1000} s`))
    })
  })
  if (body && 'stream' in body) {
    // A stream that breaks breaks the request; an answer that comes before its end ends it.
    body.stream.once('error', (error) => sent.destroy(error))
    body.stream.pipe(sent)
  } else sent.end(json)
  try {
    const response = await answered
    if (body && 'stream' in body && !sent.writableEnded) body.stream.unpipe(sent)
    const read = await limited(response)
    // Whether all was handed over: that it was written too is sometimes heard only after the answer to it.
    if (!sent.writableEnded) sent.destroy()
    return { status: response.statusCode ?? 0, body: parsed(read) }
  } finally {
    if (body && 'stream' in body) body.stream.destroy()
  }
}

async function limited(response: IncomingMessage): Promise<string> {
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) response.destroy(new Error('its answer is too long'))
  })
  return text(response)
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** What an answer says of why, as one plain line. */
export function saidIn(body: unknown): string {
  return plain(Refusal.safeParse(body).data?.message ?? '', 120)
}
