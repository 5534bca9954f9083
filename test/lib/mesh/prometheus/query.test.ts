import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { query } from '../../../../lib/mesh/prometheus/query.ts'
import type { Tls } from '../../../../lib/mesh/source-config.ts'
import { certificate } from '../../../certificates.ts'
import { serve } from '../../../prometheus/server.ts'

const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

const limits = { timeoutMs: 5000, signal: new AbortController().signal }
const vector = (result: unknown[], more = {}) =>
  JSON.stringify({ status: 'success', data: { resultType: 'vector', result }, ...more })

/** Asks a server that answers so. */
async function asked(answer: RequestListener, timeoutMs = 5000) {
  const { port, close } = await serve(answer)
  closing.push(close)
  const settings = {
    url: new URL(`http://127.0.0.1:${port}/prom/`),
    nodeLabel: 'instance',
    headers: { authorization: 'Bearer x' },
    tls: {},
  }
  return await query(settings, 'up{a="1"}', { ...limits, timeoutMs })
}

test('samples are numbers with labels, and what it asks is a form behind the address', async () => {
  let seen = ''
  const answer = asked(({ method, url, headers }, response) => {
    seen = `${method} ${url} ${headers.authorization} ${headers['content-type']}`
    const values = ['1.5', '2e-3', '-4', 'NaN', '+Inf']
    response.end(
      vector(values.map((value, index) => ({ metric: { instance: `n${index}` }, value: [1, value] }))),
    )
  })
  expect((await answer).samples.map(({ value }) => value)).toEqual([1.5, 0.002, -4, Number.NaN, Number.NaN])
  expect((await answer).samples[0]?.labels).toEqual({ instance: 'n0' })
  expect(seen).toBe('POST /prom/api/v1/query Bearer x application/x-www-form-urlencoded')
})

test('what may be missing is told', async () => {
  const both = asked(
    (_, response) => void response.end(vector([], { warnings: ['one\n\u001B[31m'], isPartial: true })),
  )
  expect((await both).warnings).toEqual(['one', 'a part of the servers did not answer'])
})

test.each<[string, RequestListener, RegExp]>([
  [
    'wants credentials',
    (_, response) => void response.writeHead(401).end(),
    /refuses to answer \(401\): .*--source-config$/,
  ],
  [
    'sends elsewhere',
    (_, response) => void response.writeHead(302, { location: 'http://h' }).end(),
    /sends one elsewhere \(302\)/,
  ],
  [
    'is something else',
    (_, response) => void response.writeHead(404).end('<html>'),
    /has no \/api\/v1\/query below \/prom\/ \(404\)/,
  ],
  ['fails', (_, response) => void response.writeHead(503).end(), /failed \(503\)/],
  [
    'says what is wrong',
    (_, response) =>
      void response.writeHead(422).end('{"status":"error","error":"too\\u001b[31m many\\nsamples"}'),
    /can't answer \(422\): too many samples$/,
  ],
  ['answers garbage', (_, response) => void response.end('garbage'), /is it the right address/],
  [
    'answers a range',
    (_, response) => void response.end('{"status":"success","data":{"resultType":"matrix","result":[]}}'),
    /right address/,
  ],
  [
    'answers no numbers',
    (_, response) => void response.end(vector([{ metric: {}, value: [1, 2] }])),
    /right address/,
  ],
  ['answers null', (_, response) => void response.end(vector([null])), /right address/],
  [
    'answers 50 MB',
    (_, response) => {
      const part = 'x'.repeat(1_000_000)
      let left = 50
      const more = () => {
        while (left > 0 && response.write(part)) left -= 1
        if (left > 0) response.once('drain', more)
        else response.end()
      }
      more()
    },
    /answers with more than 32 MB/,
  ],
  ['breaks off', (_, response) => void response.write('{"sta', () => response.destroy()), /can't be asked: /],
])('a server that %s is a Failure in one line', async (_, answer, message) => {
  const failed = asked(answer)
  await expect(failed).rejects.toThrow(message)
  await expect(failed).rejects.toThrow(/^Prometheus at 127\.0\.0\.1:\d+ [^\n\u001B]*$/)
})

test('a server that does not answer, or is not there, is a Failure too', async () => {
  await expect(asked(() => undefined, 300)).rejects.toThrow(/gave no whole answer in time: raise --timeout/)
  const settings = { url: new URL('http://127.0.0.1:1'), nodeLabel: 'instance', headers: {}, tls: {} }
  await expect(query(settings, 'up', limits)).rejects.toThrow(
    /^Prometheus at 127\.0\.0\.1:1 can't be asked: .*ECONNREFUSED/,
  )
})

test('who is interrupted does not wait for it', async () => {
  const controller = new AbortController()
  const { port, close } = await serve(() => controller.abort(new Error('enough')))
  closing.push(close)
  const settings = { url: new URL(`http://127.0.0.1:${port}`), nodeLabel: 'instance', headers: {}, tls: {} }
  await expect(query(settings, 'up', { ...limits, signal: controller.signal })).rejects.toThrow('enough')
})

test('over TLS the certificate has to be one that is trusted, and a client shows its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const make = async (name: string, more: { names?: string } = {}) => {
    const { key, cert } = await certificate(folder, name, more)
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
  }
  const [own, client, elsewhere] = await Promise.all([
    make('server'),
    make('client'),
    make('elsewhere', { names: 'DNS:elsewhere.example' }),
  ])
  const listening = async (options: ServerOptions) => {
    const server = createServer(options, (_, response) => {
      response.end(vector([]))
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what listens on a port has this
    return (server.address() as AddressInfo).port
  }
  const strict = await listening({ ...own, ca: client.cert, requestCert: true, rejectUnauthorized: true })
  const by = async (tls: Tls, port = strict) =>
    await query(
      { url: new URL(`https://127.0.0.1:${port}`), nodeLabel: 'instance', headers: {}, tls },
      'up',
      limits,
    )
  await expect(by({})).rejects.toThrow(
    /shows a certificate that is not trusted here \(self-signed certificate\): .*ca_file/,
  )
  await expect(by({ ca: own.cert })).rejects.toThrow(
    /wants a certificate of this side .*cert_file and key_file/,
  )
  // Of one that it does not know, this server just ends the connection.
  await expect(by({ ca: own.cert, ...elsewhere })).rejects.toThrow(/wants another certificate of this side/)
  expect(await by({ ca: own.cert, ...client })).toEqual({ samples: [], warnings: [] })
  const named = await listening(elsewhere)
  await expect(by({ ca: elsewhere.cert }, named)).rejects.toThrow(
    /shows a certificate of another name: .*server_name/,
  )
  expect(await by({ ca: elsewhere.cert, servername: 'elsewhere.example' }, named)).toMatchObject({
    samples: [],
  })
  const plain = await serve((_, response) => void response.end())
  closing.push(plain.close)
  await expect(by({ ca: own.cert }, plain.port)).rejects.toThrow(/speaks no TLS there/)
})
