import { expect, test } from 'vitest'
import { refusalOf, type Asker, type Rules } from '../../../verbs/web/access.ts'

const TOKEN = 'a-token-of-this-test'
const of = (machine: string, userId: number, tagged = false) => ({
  machine,
  userId,
  login: `user-${userId}`,
  tagged,
})
const OWNERS: Record<string, ReturnType<typeof of>> = {
  '100.64.0.1': of('n1', 1),
  '100.64.0.2': of('n2', 1),
  '100.64.0.3': of('n3', 2),
  '100.64.0.4': of('n4', 1, true),
}
const RULES: Rules = {
  names: new Set(['n1', 'n1.ts.test']),
  owner: OWNERS['100.64.0.1'],
  whoIs: async (address) => OWNERS[address],
}

const asker = (address: string, headers: Asker['headers'] = {}, method = 'GET'): Asker => ({
  address,
  method,
  headers: { host: 'n1:8642', ...headers },
})
const status = async (asked: Asker, rules: Partial<Rules> = {}) =>
  (await refusalOf(asked, { ...RULES, ...rules }))?.status ?? 200
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

test.each([
  ['this machine', '127.0.0.1', 200],
  ['this machine by IPv6', '::1', 200],
  ['this machine by its own tailnet address', '100.64.0.1', 200],
  ['a machine of the same person', '100.64.0.2', 200],
  ['a machine of somebody else in the tailnet', '100.64.0.3', 403],
  ['a tagged machine', '100.64.0.4', 403],
  ['an address that tailscale does not know', '100.64.0.9', 403],
  ['another network', '192.168.1.2', 403],
  ['something that is no address', '', 403],
])('%s', async (_, address, expected) => {
  expect(await status(asker(address))).toBe(expected)
})

test('where this machine belongs to nobody, no other machine belongs to the same person', async () => {
  expect(await status(asker('100.64.0.2'), { owner: undefined })).toBe(403)
  expect(await status(asker('100.64.0.2'), { owner: of('n1', 1, true) })).toBe(403)
})

test.each([
  ['as Prometheus says it', `Bearer ${TOKEN}`, 200],
  ['as browsers say it', basic(`anybody:${TOKEN}`), 200],
  ['with a colon in the name’s place', basic(`:${TOKEN}`), 200],
  ['another one', `Bearer ${TOKEN}x`, 401],
  ['the beginning of it', `Bearer ${TOKEN.slice(0, -1)}`, 401],
  ['none', 'Bearer', 401],
  ['in a scheme that there is not', `Digest ${TOKEN}`, 401],
  ['as the name instead of the password', basic(`${TOKEN}:`), 401],
])('the token lets in from anywhere: %s', async (_, authorization, expected) => {
  const somebody = asker('192.168.1.2', { authorization, host: 'mesh.example.invalid' })
  expect(await status(somebody, { token: TOKEN })).toBe(expected)
})

test('who has no right of their own is asked for the token where there is one', async () => {
  expect(await status(asker('192.168.1.2'), { token: TOKEN })).toBe(401)
  expect(await status(asker('100.64.0.3'), { token: TOKEN })).toBe(401)
  expect(await status(asker('127.0.0.1'), { token: TOKEN })).toBe(200)
})

test('a token that nobody asks for lets nobody in', async () => {
  expect(await status(asker('192.168.1.2', { authorization: 'Bearer undefined' }))).toBe(403)
  expect(await status(asker('192.168.1.2', { authorization: basic(':') }))).toBe(403)
})

test.each([
  ['127.0.0.1:8642', 200],
  ['localhost', 200],
  ['[::1]:8642', 200],
  ['N1.ts.test.', 200],
  ['n2', 421],
  ['evil.example.invalid', 421],
  ['n1.evil.example.invalid:8642', 421],
  ['n1@evil.example.invalid', 421],
  ['', 421],
])('a page that was opened as %j from this machine', async (host, expected) => {
  expect(await status(asker('127.0.0.1', { host }))).toBe(expected)
})

test('without a Host nothing is answered', async () => {
  expect(await refusalOf({ address: '127.0.0.1', method: 'GET', headers: {} }, RULES)).toMatchObject({
    status: 421,
  })
})

test.each([
  ['the browser’s own address bar', { 'sec-fetch-site': 'none' }, 200],
  ['the page itself', { 'sec-fetch-site': 'same-origin', origin: 'http://n1:8642' }, 200],
  [
    'a link on another site',
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    200,
  ],
  ['a script of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, 403],
  ['a picture on another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
  ['another port of this machine', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 403],
  [
    'a frame in another site',
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    403,
  ],
  ['an older browser on another site', { origin: 'http://evil.example.invalid' }, 403],
  ['a document without an origin', { origin: 'null' }, 403],
])('asked by %s', async (_, headers, expected) => {
  expect(await status(asker('127.0.0.1', headers))).toBe(expected)
  const authorization = `Bearer ${TOKEN}`
  expect(await status(asker('127.0.0.1', { ...headers, authorization }), { token: TOKEN })).toBe(expected)
})

test.each(['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'])(
  'who comes through a proxy of this machine, as %s tells, is not this machine',
  async (header) => {
    expect(await status(asker('127.0.0.1', { [header]: '192.0.2.1' }))).toBe(403)
    expect(await status(asker('127.0.0.1', { [header]: '192.0.2.1' }), { token: TOKEN })).toBe(401)
  },
)

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT', ''])('%s changes nothing', async (method) => {
  expect(await status(asker('127.0.0.1', {}, method))).toBe(405)
})

test('who is refused learns whose machine this is, if they are in its tailnet', async () => {
  expect(await refusalOf(asker('100.64.0.3'), RULES)).toEqual({
    status: 403,
    says: 'n3 belongs to user-2, n1 belongs to user-1',
  })
})
