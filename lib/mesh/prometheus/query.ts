import type { IncomingMessage } from 'node:http'
import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import { messageOf, plain } from '../../base/text.ts'
import { tlsFault } from '../tls-fault.ts'
import type { PrometheusSettings } from './settings.ts'

/** One series at one time. */
export type Sample = { labels: Readonly<Record<string, unknown>>; value: number }
export type Answer = { samples: Sample[]; warnings: string[] }

/** Bytes of one answer: a hundred thousand machines with their labels. */
const MOST_BYTES = 32_000_000

/**
 * An instant query by the HTTP API that Prometheus, VictoriaMetrics, Thanos and Mimir have in common
 * (prometheus.io/docs/prometheus/latest/querying/api).
 *
 * @returns the samples of a vector
 * @throws Failure that says in one line what the server said, or that it said nothing; the signal's reason
 */
export async function query(
  settings: PrometheusSettings,
  expression: string,
  limits: Limits,
): Promise<Answer> {
  const { timeoutMs, signal } = limits
  const late = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)))
  const failure = (what: string) => new Failure(`Prometheus at ${settings.url.host} ${what}`)
  let status = 0
  let text: string
  try {
    const response = await post(settings, expression, AbortSignal.any([signal, late]))
    status = response.statusCode ?? 0
    text = await bodyOf(response)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TooMuch)
      throw failure(
        `answers with more than ${MOST_BYTES / 1e6} MB: --node-label may name a label with too many values`,
      )
    if (late.aborted) throw failure('gave no whole answer in time: raise --timeout')
    throw failure(
      tlsFault(error, settings.url.protocol === 'https:') ??
        `can't be asked: ${plain(messageOf(error), 200)}`,
    )
  }
  if (status === 401 || status === 403)
    throw failure(`refuses to answer (${status}): put credentials into a file, for --source-config`)
  if (status >= 300 && status < 400)
    throw failure(`sends one elsewhere (${status}): name that address with --source`)
  const document = parsed(text)
  if (document?.['status'] === 'error')
    throw failure(`can't answer (${status}): ${plain(textOf(document['error']), 200)}`)
  if (status === 404) throw failure(`has no /api/v1/query below ${plain(settings.url.pathname, 100)} (404)`)
  if (status !== 200) throw failure(`failed (${status})`)
  const samples = document?.['status'] === 'success' ? samplesOf(document) : undefined
  if (!samples) throw failure('gives an answer that is none of Prometheus: is it the right address?')
  const warnings = [...(Array.isArray(document?.['warnings']) ? document['warnings'] : [])].map((each) =>
    plain(textOf(each), 200),
  )
  // VictoriaMetrics says so of a cluster of which a part did not answer.
  if (document?.['isPartial'] === true) warnings.push('a part of the servers did not answer')
  return { samples, warnings }
}

class TooMuch extends Error {}

async function post(
  { url, headers, tls }: PrometheusSettings,
  expression: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  // Only the one that is needed is loaded.
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const body = new URLSearchParams({ query: expression }).toString()
  const target = new URL(`${url.pathname.replace(/\/+$/, '')}/api/v1/query`, url)
  const own = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(Buffer.byteLength(body)),
    accept: 'application/json',
  }
  return await new Promise((resolve, reject) => {
    const asking = request(
      target,
      { method: 'POST', headers: { ...own, ...headers }, signal, ...tls },
      resolve,
    )
    asking.once('error', reject)
    asking.end(body)
  })
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no encoding was set
    const chunk = part as Buffer
    bytes += chunk.length
    if (bytes > MOST_BYTES) {
      response.destroy()
      throw new TooMuch()
    }
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

type Document = Readonly<Record<string, unknown>>

function parsed(text: string): Document | undefined {
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** Undefined where it is no vector of numbers with labels. */
function samplesOf(document: Document): Sample[] | undefined {
  const { resultType, result } = fieldsOf(document['data'])
  if (resultType !== 'vector' || !Array.isArray(result)) return undefined
  const samples: Sample[] = []
  for (const each of result) {
    const { metric, value } = fieldsOf(each)
    const text: unknown = Array.isArray(value) ? value[1] : undefined
    if (typeof metric !== 'object' || metric === null || typeof text !== 'string') return undefined
    samples.push({ labels: fieldsOf(metric), value: numberOf(text) })
  }
  return samples
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** As Prometheus writes numbers: also NaN, +Inf and -Inf, which are no measurement. */
function numberOf(text: string): number {
  return /^[+-]?[\d.]+(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
}
