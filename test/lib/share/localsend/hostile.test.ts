import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { parseNetwork } from '../../../../lib/share/localsend/receiver/addresses.ts'
import { Accepted, PREFIX } from '../../../../lib/share/localsend/schema.ts'
import { filesBelow, listening, temporaryFolder, type Listening } from './loopback.ts'

type Answered = { status: number; body: string }
type Sent = { method?: string; body?: string | Buffer; headers?: Record<string, string>; from?: string }

/** One request to the receiver, as it is. */
async function ask({ port }: Listening, path: string, sent: Sent = {}): Promise<Answered> {
  const { method = 'POST', body = '', headers = {}, from = '127.0.0.1' } = sent
  return new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      localAddress: from,
      method,
      path: `${PREFIX}${path}`,
      headers,
      agent: false,
    })
    asked.once('error', reject)
    asked.once('response', (response: IncomingMessage) => {
      text(response).then((read) => resolve({ status: response.statusCode ?? 0, body: read }), reject)
    })
    asked.end(body)
  })
}

const INFO = { alias: 'x', version: '2.1', fingerprint: 'x', port: 53_317, protocol: 'http' }
const offerOf = (files: Record<string, unknown>) => JSON.stringify({ info: INFO, files })
const one = (size: number, more = {}) =>
  offerOf({ a: { id: 'a', fileName: 'a', size, fileType: 'x', ...more } })

/** Offers one file, and returns the query of its upload. */
async function accepted(receiver: Listening, offer: string): Promise<string> {
  const { status, body } = await ask(receiver, 'prepare-upload', { body: offer })
  expect(status).toBe(200)
  const { sessionId, files } = Accepted.parse(JSON.parse(body))
  return new URLSearchParams({ sessionId, fileId: 'a', token: files.a ?? '' }).toString()
}

async function serves(receiver: Listening): Promise<void> {
  expect((await ask(receiver, 'info', { method: 'GET' })).status).toBe(200)
}

const hash = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')

test('whatever the body of a request is, the answer is one of 4xx, and the receiver still serves', async () => {
  const receiver = await listening({ insecureHttp: true })
  const scalar = fc.oneof(fc.jsonValue(), fc.constantFrom(null, -1, 1e300, 2 ** 60, '', '\0', [], {}))
  const file = fc.record(
    { id: scalar, fileName: scalar, size: scalar, fileType: scalar, sha256: scalar, metadata: scalar },
    { requiredKeys: [] },
  )
  const offer = fc.record(
    {
      info: fc.oneof(scalar, fc.constant(INFO)),
      files: fc.oneof(scalar, fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), file)),
    },
    { requiredKeys: [] },
  )
  const body = fc.oneof(
    offer.map((value) => Buffer.from(JSON.stringify(value))),
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  )
  const path = fc.constantFrom(
    'prepare-upload',
    'register',
    'upload',
    'upload?sessionId=a&fileId=b&token=c',
    'x',
  )
  await fc.assert(
    fc.asyncProperty(path, body, async (asked, content) => {
      const { status } = await ask(receiver, asked, { body: content })
      // An object is an introduction, whatever is in it; an offer that is one by chance may be accepted.
      if (status !== 200 && status !== 204) expect(Math.floor(status / 100)).toBe(4)
      if (asked.startsWith('upload') || asked === 'x') expect(status).toBeGreaterThanOrEqual(400)
    }),
    { numRuns: 400 },
  )
  await serves(receiver)
  expect(await filesBelow(receiver.folder)).toEqual([])
})

test.each([
  ['no JSON', '{', 400],
  ['an array', '[]', 400],
  ['no files', offerOf({}), 400],
  ['no info', JSON.stringify({ files: {} }), 400],
  ['a negative size', one(-1), 400],
  ['half a byte', one(0.5), 400],
  ['a size beyond what numbers can count', one(2 ** 60), 400],
  ['a name that is empty', one(1, { fileName: '' }), 400],
  ['a hash that is none', one(1, { sha256: 'abc' }), 400],
  ['more than the disk holds', one(2 ** 50), 403],
  ['nesting without end', '['.repeat(1_000_000), 400],
  ['more than it reads', `"${'x'.repeat(9_000_000)}"`, 413],
  [
    'too many files',
    offerOf(Object.fromEntries(Array.from({ length: 20_001 }, (_, i) => [i, { fileName: 'a', size: 0 }]))),
    413,
  ],
])('an offer with %s is refused', async (_what, body, status) => {
  const receiver = await listening({ insecureHttp: true })
  expect((await ask(receiver, 'prepare-upload', { body })).status).toBe(status)
  await serves(receiver)
})

test('ten thousand PINs: three are looked at, also when the right one comes later', async () => {
  const receiver = await listening({ insecureHttp: true, pin: '4711' })
  const guess = async (pin: string, from?: string) => {
    const sent = { body: one(1), ...(from === undefined ? {} : { from }) }
    return (await ask(receiver, `prepare-upload?pin=${pin}`, sent)).status
  }
  expect((await ask(receiver, 'prepare-upload', { body: one(1) })).status).toBe(401)
  expect([await guess('1'), await guess('2'), await guess('3'), await guess('4711')]).toEqual([
    401, 401, 401, 429,
  ])
  const statuses = new Set<number>()
  for (let pin = 0; pin < 10_000; pin += 20) {
    const many = Array.from({ length: 20 }, async (_, at) => guess(String(pin + at)))
    for (const status of await Promise.all(many)) statuses.add(status)
  }
  expect([...statuses]).toEqual([429])
  // Another address of the loopback is another sender.
  expect(await guess('4711', '127.0.0.2')).toBe(200)
})

test('a wrong token, file, session or address gets 403, missing ones 400, and the right ones still work', async () => {
  const receiver = await listening({ insecureHttp: true })
  const right = await accepted(receiver, one(3, { sha256: hash('abc') }))
  for (const name of ['sessionId', 'fileId', 'token']) {
    const wrong = new URLSearchParams(right)
    wrong.set(name, `${wrong.get(name)?.slice(1)}A`)
    expect((await ask(receiver, `upload?${wrong.toString()}`, { body: 'abc' })).status).toBe(403)
    wrong.delete(name)
    expect((await ask(receiver, `upload?${wrong.toString()}`, { body: 'abc' })).status).toBe(400)
  }
  expect((await ask(receiver, `upload?${right}`, { body: 'abc', from: '127.0.0.2' })).status).toBe(403)
  const session = new URLSearchParams(right).get('sessionId') ?? ''
  expect((await ask(receiver, `cancel?sessionId=${session}`, { from: '127.0.0.2' })).status).toBe(200)
  expect(await filesBelow(receiver.folder)).toEqual([])
  expect((await ask(receiver, 'prepare-upload', { body: one(1), from: '127.0.0.2' })).status).toBe(409)
  expect((await ask(receiver, `upload?${right}`, { body: 'abc' })).status).toBe(200)
  expect((await ask(receiver, `upload?${right}`, { body: 'abc' })).status).toBe(403)
  expect(await filesBelow(receiver.folder)).toEqual(['a'])
})

test('a file that is not the one that was offered gets 422 three times, then 403, and leaves nothing', async () => {
  const receiver = await listening({ insecureHttp: true })
  const query = await accepted(receiver, one(3, { sha256: hash('abc') }))
  const statuses = []
  for (let attempt = 0; attempt < 4; attempt += 1)
    statuses.push((await ask(receiver, `upload?${query}`, { body: 'abd' })).status)
  expect(statuses).toEqual([422, 422, 422, 403])
  expect(await filesBelow(receiver.folder)).toEqual([])
})

test.each([
  ['shorter', 'ab', {}],
  ['longer', 'abcd', {}],
  ['shorter, in chunks', 'ab', { 'transfer-encoding': 'chunked' }],
  ['longer, in chunks', 'abcd', { 'transfer-encoding': 'chunked' }],
  ['empty', '', {}],
])('a body that is %s than was said gets 500, and leaves nothing', async (_what, body, headers) => {
  const receiver = await listening({ insecureHttp: true })
  const query = await accepted(receiver, one(3))
  expect((await ask(receiver, `upload?${query}`, { body, headers })).status).toBe(500)
  expect(await filesBelow(receiver.folder)).toEqual([])
})

test('of an offer of ten GiB that sends nothing, nothing is on the disk', async () => {
  const receiver = await listening({ insecureHttp: true, limits: { idleMs: 500, spareBytes: 0 } })
  const { status } = await ask(receiver, 'prepare-upload', { body: one(10 * 2 ** 30) })
  expect([200, 403]).toContain(status)
  expect(await filesBelow(receiver.folder)).toEqual([])
  const free = async () => (await ask(receiver, 'prepare-upload', { body: one(1), from: '127.0.0.2' })).status
  await vi.waitUntil(async () => (await free()) === 200, { timeout: 5000, interval: 200 })
})

/** A connection that sends this and then keeps silent; how long until it is closed, in milliseconds. */
async function closedAfter(port: number, head: string, every?: string): Promise<number> {
  const began = performance.now()
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  socket.write(head)
  const timer = setInterval(() => every !== undefined && socket.write(every), 50)
  await new Promise((resolve) => socket.once('close', resolve))
  clearInterval(timer)
  return performance.now() - began
}

test.each([
  ['says nothing', '', undefined],
  ['sends headers a byte at a time', 'GET / HTTP/1.1\r\nx: ', 'y'],
  [
    'sends an offer a byte at a time',
    `POST ${PREFIX}prepare-upload HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n`,
    ' ',
  ],
])('a sender that %s is dropped', async (_what, head, every) => {
  const receiver = await listening({ insecureHttp: true, limits: { requestMs: 700 } })
  expect(await closedAfter(receiver.port, head, every)).toBeLessThan(9000)
  await serves(receiver)
})

test('a sender that says nothing over TLS is dropped', async () => {
  const receiver = await listening({ limits: { requestMs: 700 } })
  expect(await closedAfter(receiver.port, '')).toBeLessThan(9000)
})

test('an upload that all but stands still is dropped, and its session is over soon', async () => {
  const limits = { pace: { bytes: 1000, everyMs: 400 }, idleMs: 300 }
  const receiver = await listening({ insecureHttp: true, limits })
  const query = await accepted(receiver, one(1_000_000))
  const head = `POST ${PREFIX}upload?${query} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n`
  expect(await closedAfter(receiver.port, head, 'x')).toBeLessThan(9000)
  await vi.waitUntil(() => receiver.events.some(({ event }) => event === 'over'), { timeout: 5000 })
  expect(await filesBelow(receiver.folder)).toEqual([])
})

test('of many connections from one address, those beyond the limit are closed at once', async () => {
  const receiver = await listening({ insecureHttp: true, limits: { connectionsPerAddress: 5 } })
  const sockets = Array.from({ length: 50 }, () => connect(receiver.port, '127.0.0.1').on('error', () => {}))
  await vi.waitUntil(() => sockets.filter((socket) => socket.destroyed).length >= 45, { timeout: 5000 })
  expect((await ask(receiver, 'info', { method: 'GET', from: '127.0.0.2' })).status).toBe(200)
  for (const socket of sockets) socket.destroy()
})

test('who is neither of this tailnet nor allowed is not heard; who is allowed needs the PIN', async ({
  skip,
}) => {
  const own = await listening({ insecureHttp: true, listen: ['0.0.0.0'] })
  const outside =
    Object.values((await import('node:os')).networkInterfaces())
      .flatMap((entries) => entries ?? [])
      .find(
        ({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('100.'),
      ) ?? skip('this machine has no network besides its tailnet')
  const from = (receiver: Listening, path: string, body = '') =>
    new Promise<number>((resolve) => {
      const { address: host } = outside
      const asked = request({
        host,
        port: receiver.port,
        path: `${PREFIX}${path}`,
        method: 'POST',
        agent: false,
      })
      asked.once('response', (response) => resolve(response.statusCode ?? 0))
      asked.once('error', () => resolve(0))
      asked.end(body)
    })
  expect(await from(own, 'register', '{}')).toBe(0)
  const allow = [parseNetwork(outside.address, '--allow')]
  const open = await listening({ insecureHttp: true, listen: ['0.0.0.0'], allow })
  expect(await from(open, 'prepare-upload', one(1))).toBe(403)
  const withPin = await listening({ insecureHttp: true, listen: ['0.0.0.0'], allow, pin: '4711' })
  expect(await from(withPin, 'prepare-upload', one(1))).toBe(401)
  expect(await from(withPin, 'prepare-upload?pin=4711', one(1))).toBe(200)
})

test('links that lie in the folder lead nothing out of it, and nothing that is there is replaced', async () => {
  const [folder, outside] = [await temporaryFolder(), await temporaryFolder()]
  await mkdir(join(folder, 'real'))
  await symlink(outside, join(folder, 'link'))
  await symlink(join(outside, 'file'), join(folder, 'dangling'))
  await writeFile(join(folder, 'taken'), 'mine')
  const receiver = await listening({ insecureHttp: true, folder })
  const names = ['link/x', 'dangling', 'taken', 'taken/below', 'real/../../x', `${'../'.repeat(30)}etc/x`]
  for (const fileName of names) {
    const query = await accepted(receiver, one(3, { fileName }))
    expect((await ask(receiver, `upload?${query}`, { body: 'new' })).status).toBe(200)
  }
  expect(await filesBelow(outside)).toEqual([])
  expect(await readFile(join(folder, 'taken'), 'utf8')).toBe('mine')
  const arrived = receiver.events.flatMap((event) => (event.event === 'stored' ? [event.path] : []))
  expect(arrived.map((path) => path.slice(folder.length + 1))).toEqual([
    'link (1)/x',
    'dangling (1)',
    'taken (1)',
    'taken (2)/below',
    'real/x',
    'etc/x',
  ])
})

test('requests that are no HTTP leave it serving', async () => {
  const receiver = await listening({ insecureHttp: true })
  for (const head of [
    '\0\0\0\r\n\r\n',
    'GET // HTTP/1.1\r\nhost: x\r\n\r\n',
    `GET /${'x'.repeat(100_000)}`,
  ]) {
    const socket = connect(receiver.port, '127.0.0.1').on('error', () => {})
    socket.resume()
    socket.end(head)
    await new Promise((resolve) => socket.once('close', resolve))
  }
  const tls = await listening()
  const socket = connect(tls.port, '127.0.0.1').on('error', () => {})
  socket.resume()
  socket.end(randomBytes(5000))
  await new Promise((resolve) => socket.once('close', resolve))
  expect((await ask(receiver, 'info', { method: 'GET' })).status).toBe(200)
})
