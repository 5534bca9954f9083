import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Order, Went } from '../../../verbs/watch/act.ts'
import { Deeds } from '../../../verbs/web/deeds.ts'
import { startServer, type Serving } from '../../../verbs/web/server.ts'
import { ASite } from './a-site.ts'

const TOKEN = 'a-token-of-this-test'
const ORDER = { deed: 'kill', machine: 'n2', pid: 7, command: 'make' }

let done: Order[]
let goesOn: ((went: Went) => void)[]
let deeds: Deeds
let serving: Serving
let url = ''
beforeEach(async () => {
  done = []
  goesOn = []
  const run = async (order: Order) => {
    done.push(order)
    return await new Promise<Went>((resolve) => goesOn.push(resolve))
  }
  deeds = new Deeds(new Set(['kill', 'throttle'] as const), run, ({ command }) => command === 'make')
  const site = Object.assign(new ASite(), { deeds })
  const rules = { token: TOKEN, names: new Set<string>(), owner: undefined, whoIs: async () => undefined }
  serving = await startServer(site, { listen: ['127.0.0.1'], port: 0, rules })
  url = `http://127.0.0.1:${serving.port}`
})
afterEach(async () => await serving.close())

const HEADERS = () => ({
  'Content-Type': 'application/json',
  'X-Ticket': deeds.ticket,
  Authorization: `Bearer ${TOKEN}`,
  Origin: url,
})
const send = async (body: unknown = ORDER, headers: Record<string, string | undefined> = {}) => {
  const all = Object.entries({ ...HEADERS(), ...headers }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string]],
  )
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const { status } = await fetch(`${url}/act`, { method: 'POST', headers: all, body: text })
  return status
}

test('who says the token, from this page, has it done, and how it goes is told', async () => {
  expect(await send()).toBe(202)
  expect(done).toEqual([{ deed: 'kill', host: 'n2', pid: 7, command: 'make' }])
  expect(deeds.lines()).toEqual(['kill make (PID 7) on n2: under way'])
  goesOn[0]?.({ done: true, says: 'ended' })
  await deeds.settled()
  expect(deeds.lines()).toEqual(['kill make (PID 7) on n2: ended'])
})

test.each([
  ['no token, though it is this machine', { Authorization: undefined }, 401],
  ['another token', { Authorization: 'Bearer another' }, 401],
  ['no ticket', { 'X-Ticket': undefined }, 403],
  ['another ticket', { 'X-Ticket': 'x' }, 403],
  ['another site', { Origin: 'http://evil.example.invalid' }, 403],
  ['no origin', { Origin: undefined }, 403],
  ['a document without an origin', { Origin: 'null' }, 403],
  ['another site, as the browser tells', { 'Sec-Fetch-Site': 'cross-site' }, 403],
  ['another port of this machine, as the browser tells', { 'Sec-Fetch-Site': 'same-site' }, 403],
  ['the address bar, as the browser tells', { 'Sec-Fetch-Site': 'none' }, 403],
  ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 403],
  ['a form of text', { 'Content-Type': 'text/plain' }, 403],
])('with %s nothing is done', async (_, headers, status) => {
  expect(await send(ORDER, headers)).toBe(status)
  expect([done, deeds.lines()]).toEqual([[], []])
})

test.each([
  ['what is not allowed', { ...ORDER, deed: 'migrate' }, 403],
  ['what there is not', { ...ORDER, deed: 'reboot' }, 400],
  ['a process that is not there', { ...ORDER, command: 'sh' }, 409],
  ['a PID that is none', { ...ORDER, pid: -1 }, 400],
  ['a PID that is text', { ...ORDER, pid: '7' }, 400],
  ['more than an order', { ...ORDER, force: true }, 400],
  ['less than an order', { deed: 'kill' }, 400],
  ['no JSON', 'kill 7', 400],
  ['nothing', '', 400],
  ['too much', { ...ORDER, command: 'x'.repeat(10_000) }, 413],
])('ordered is %s: nothing is done', async (_, body, status) => {
  expect(await send(body)).toBe(status)
  expect([done, deeds.lines()]).toEqual([[], []])
})

test('GET does nothing, and where nothing is allowed there is nothing to order', async () => {
  expect((await fetch(`${url}/act`, { headers: HEADERS() })).status).toBe(404)
  const plain = await startServer(new ASite(), {
    listen: ['127.0.0.1'],
    port: 0,
    rules: { token: TOKEN, names: new Set(), owner: undefined, whoIs: async () => undefined },
  })
  const address = `http://127.0.0.1:${plain.port}`
  const headers = { ...HEADERS(), Origin: address }
  const answer = await fetch(`${address}/act`, { method: 'POST', headers, body: JSON.stringify(ORDER) })
  expect(answer.status).toBe(405)
  await plain.close()
})

test('four are under way at most, and the last ten are told of', async () => {
  for (let count = 0; count < 4; count += 1) expect(await send()).toBe(202)
  expect(await send()).toBe(429)
  goesOn.forEach((end) => end({ done: true, says: 'ended' }))
  await deeds.settled()
  for (let count = 0; count < 9; count += 1) {
    expect(await send()).toBe(202)
    goesOn.at(-1)?.({ done: true, says: 'ended' })
    await deeds.settled()
  }
  expect(deeds.lines()).toHaveLength(10)
})

test('what fails says why, in one line that is safe to show', async () => {
  const failing = new Deeds(
    new Set(['kill'] as const),
    async () => await Promise.reject(new Error('it is\u001B[31m root’s\nand stays')),
    () => true,
  )
  expect(failing.begin(JSON.stringify(ORDER))).toBeUndefined()
  await failing.settled()
  expect(failing.lines()).toEqual(['kill make (PID 7) on n2: it is root’s and stays'])
})
