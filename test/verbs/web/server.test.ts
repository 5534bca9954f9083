import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startServer, type ServerLimits } from '../../../verbs/web/server.ts'
import { ASite, contentOf, look, serve } from './a-site.ts'

const RULES = { names: new Set<string>(), owner: undefined, whoIs: async () => undefined }
const SOON = { timeout: 10_000 }

let site: ASite
let url = ''
let close: () => Promise<void>
beforeEach(async () => {
  site = new ASite()
  ;({ url, close } = await serve(site, { audience: { tickMs: 20, beatMs: 50 } }))
})
afterEach(async () => await close())

async function again(limits: Partial<ServerLimits>): Promise<void> {
  await close()
  ;({ url, close } = await serve(site, limits))
}

test('each answer forbids inline scripts, frames, guesses of its type, and to be kept', async () => {
  for (const path of ['/', '/page.css', '/metrics', '/nothing', '/events?machine=n9']) {
    const { headers } = await fetch(`${url}${path}`)
    const policy = headers.get('content-security-policy')?.split('; ') ?? []
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
      ]),
    )
    expect(policy.join(' ')).not.toContain('unsafe')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  }
})

test.each([
  ['/', 200, 'text/html; charset=utf-8', '<p>name</p>'],
  ['/?order=load', 200, 'text/html; charset=utf-8', '<p>load</p>'],
  ['/page.css', 200, 'text/css', 'p {}'],
  ['/metrics', 200, 'text/plain; version=0.0.4; charset=utf-8', 'x 1\n'],
  ['/nothing', 404, 'text/plain; charset=utf-8', 'there is no such page\n'],
  ['/../etc/passwd', 404, 'text/plain; charset=utf-8', 'there is no such page\n'],
  ['//evil.example.invalid/', 200, 'text/html; charset=utf-8', '<p>name</p>'],
  ['/events?machine=n9', 404, 'text/plain; charset=utf-8', 'no such machine\n'],
])('%s is answered with %i', async (path, status, type, body) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.end(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
  let text = ''
  for await (const part of socket) text += String(part)
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(text).toContain(`\r\nContent-Type: ${type}\r\n`)
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(body)
})

test('Prometheus gets OpenMetrics where it asks for them', async () => {
  const headers = { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' }
  const answer = await fetch(`${url}/metrics`, { headers })
  expect(answer.headers.get('content-type')).toBe(
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  )
  expect(await answer.text()).toBe('x 1\n# EOF\n')
})

test('HEAD tells what GET would, without what it says', async () => {
  const answer = await fetch(url, { method: 'HEAD' })
  expect(answer.headers.get('content-length')).toBe('11')
  expect(await answer.text()).toBe('')
})

test('POST is refused, with what there is instead', async () => {
  const answer = await fetch(url, { method: 'POST', body: 'x'.repeat(100_000) })
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
})

test('who looks gets all first, then what has changed, and nothing while nothing changes', async () => {
  site.shown = contentOf('first', ['n1', 'n2'])
  const viewer = await look(url)
  await vi.waitUntil(() => viewer.news().length === 1, SOON)
  expect(viewer.news()).toEqual([site.shown])
  await vi.waitUntil(() => viewer.heard.filter(({ event }) => event === 'beat').length > 2, SOON)
  expect(viewer.news()).toHaveLength(1)
  site.shown = contentOf('second', ['n1', 'n2'])
  site.shown.tables.machines?.rows.forEach((row) => (row.name = row.key === 'n1' ? 'second' : 'first'))
  await vi.waitUntil(() => viewer.news().length === 2, SOON)
  expect(viewer.news()[1]).toEqual({
    texts: { text: 'second' },
    tables: { machines: { rows: [{ key: 'n1', name: 'second' }] } },
  })
  viewer.leave()
})

test('a machine is looked at closely as long as somebody looks at its page', async () => {
  const viewers = [await look(url, '/events?machine=n1'), await look(url, '/events?machine=n1')]
  expect(site.looked).toEqual(['n1'])
  viewers[0]?.leave()
  const later = await look(url)
  await vi.waitUntil(() => later.heard.length > 3, SOON)
  expect(site.looked).toEqual(['n1'])
  viewers[1]?.leave()
  await vi.waitUntil(() => site.looked.length === 0, SOON)
  later.leave()
})

test('when a machine leaves the mesh, its page is told no more', async () => {
  const viewer = await look(url, '/events?machine=n1')
  site.content = () => undefined
  await vi.waitUntil(viewer.over, SOON)
  await expect.poll(() => site.looked, SOON).toEqual([])
})

const LARGE = 'x'.repeat(4 * 1024 * 1024)

test('who is slow misses what is between, and gets the last', async () => {
  await again({ audience: { tickMs: 5 } })
  const slow = await look(url)
  slow.response.pause()
  const quick = await look(url)
  // More than the kernel keeps for a socket: the rest would have to be kept here.
  for (let number = 1; number <= 8; number += 1) {
    const before = quick.count()
    site.shown = contentOf(`${number} ${LARGE}`)
    await vi.waitUntil(() => quick.count() > before, SOON)
  }
  slow.response.resume()
  await expect.poll(() => slow.heard.at(-1)?.data.slice(0, 19), SOON).toBe('{"texts":{"text":"8')
  expect(slow.count()).toBeLessThan(8)
  quick.leave()
  slow.leave()
})

test('who takes nothing for long is let go, and nobody else', async () => {
  await again({ audience: { tickMs: 5, beatMs: 50, patienceMs: 1000 } })
  const slow = await look(url)
  slow.response.pause()
  const quick = await look(url)
  for (let number = 1; number <= 3; number += 1) {
    const before = quick.count()
    site.shown = contentOf(`${number} ${LARGE}`)
    await vi.waitUntil(() => quick.count() > before, SOON)
  }
  const beats = quick.heard.length
  await vi.waitUntil(() => quick.heard.length > beats + 20, SOON)
  slow.response.resume()
  await vi.waitUntil(slow.over, SOON)
  expect(slow.count()).toBeLessThan(4)
  expect(quick.over()).toBe(false)
  quick.leave()
})

test('no more may look than there is room for, and none of them all of it', async () => {
  await again({ audience: { most: 3, mostOfAddress: 2 } })
  const viewers = [await look(url), await look(url, '/events?machine=n1')]
  const third = await fetch(`${url}/events`)
  expect([third.status, third.headers.get('retry-after'), await third.text()]).toEqual([
    503,
    '30',
    'as many look already as may\n',
  ])
  viewers[0]?.leave()
  await vi.waitUntil(
    async () => {
      const next = await look(url)
      next.leave()
      return next.response.statusCode === 200
    },
    { ...SOON, interval: 20 },
  )
  viewers[1]?.leave()
})

test('connections of an address are bounded, and what says nothing is let go', async () => {
  await again({ connectionsPerAddress: 2, requestMs: 200 })
  const port = Number(new URL(url).port)
  const [first, second, third] = [
    connect(port, '127.0.0.1'),
    connect(port, '127.0.0.1'),
    connect(port, '127.0.0.1'),
  ]
  for (const socket of [first, second, third]) socket.resume().on('error', () => {})
  await once(third, 'close')
  expect(first.destroyed).toBe(false)
  await Promise.all([once(first, 'close'), once(second, 'close')])
})

test.each([
  ['garbage', 'not http at all\r\n\r\n'],
  ['headers without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['two lengths', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
])('%s is refused, and the next is answered', async (_, text) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(text)
  let said = ''
  for await (const part of socket) said += String(part)
  expect(said).toMatch(/^HTTP\/1.1 4\d\d /)
  expect((await fetch(url)).status).toBe(200)
})

test('closed, it lets everybody go at once, and its port is free', async () => {
  const viewer = await look(url)
  const idle = connect(Number(new URL(url).port), '127.0.0.1')
  idle.resume().on('error', () => {})
  await once(idle, 'connect')
  await close()
  await vi.waitUntil(viewer.over, SOON)
  const port = Number(new URL(url).port)
  const next = await startServer(site, { listen: ['127.0.0.1'], port, rules: RULES })
  expect(next.port).toBe(port)
  await next.close()
})

test.each([
  [
    'a port that is taken',
    () => ({ listen: ['127.0.0.1'], port: Number(new URL(url).port) }),
    'something listens there already',
  ],
  [
    'an address of another machine',
    () => ({ listen: ['192.0.2.1'], port: 0 }),
    'this machine does not have that address',
  ],
])('%s is told in one line', async (_, where, says) => {
  await expect(startServer(site, { ...where(), rules: RULES })).rejects.toThrow(says)
})

test('an optional address that this machine does not have is left out', async () => {
  const serving = await startServer(site, {
    listen: ['127.0.0.1'],
    optional: ['192.0.2.1'],
    port: 0,
    rules: RULES,
  })
  expect((await fetch(`http://127.0.0.1:${serving.port}`)).status).toBe(200)
  await serving.close()
})
