import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { sendFiles } from '../../../lib/share/localsend/client/client.ts'
import { PinnedAgent } from '../../../lib/share/localsend/client/connection.ts'
import { exchange } from '../../../lib/share/localsend/client/exchange.ts'
import { hashed } from '../../../lib/share/localsend/client/offer.ts'
import { probe } from '../../../lib/share/localsend/client/probe.ts'
import { ownIdentity, type Identity } from '../../../lib/share/localsend/identity.ts'
import { walk } from '../../../lib/share/walk.ts'
import { Advertise } from '../../../verbs/localsend/schemas.ts'
import { Doorkeeper } from '../../../verbs/localsend/doorkeeper.ts'
import { closeAll } from '../../../verbs/localsend/verbs.ts'
import { filesBelow, listening, temporaryFolder } from '../../lib/share/localsend/loopback.ts'
import { call, folderOf, OTHER, sessionAt, smallMesh, statusOf } from './calls.ts'

const ADVERTISED = {
  agent_id: 'agent-7',
  device_name: 'desk',
  localsend_port: 0,
  tailscale_ip: '127.0.0.1',
  capabilities: ['sha256'],
}

const advertise = async (more: Record<string, unknown> = {}) => {
  return Advertise.result.parse(await call('localsend_advertise', { ...ADVERTISED, ...more }))
}

/** Sends a folder's files from another identity to what this process has advertised. */
async function sendTo(port: number, path: string, identity: Identity, signal = new AbortController().signal) {
  const at = { name: 'desk', address: '127.0.0.1', port }
  const peer = await probe(at, { identity, timeoutMs: 10_000, signal, insecureHttp: false })
  const files = await Promise.all((await walk([path])).files.map(async (file) => await hashed(file, signal)))
  const limits = { waitMs: 30_000, silenceMs: 15_000, connectMs: 10_000, moved: () => {} }
  return await sendFiles(peer, files, { identity, signal, ...limits })
}

const someone = async () => await ownIdentity(await temporaryFolder())
const offered = async (session_id: string) =>
  await vi.waitUntil(
    async () => {
      const { offers } = await statusOf(session_id)
      return Array.isArray(offers) && offers.length > 0 ? offers : undefined
    },
    { timeout: 60_000 },
  )

test('what is advertised introduces itself by its name and agent, and listens where it says', async () => {
  await smallMesh()
  const advertised = await advertise()
  expect(advertised).toMatchObject({
    listening: ['127.0.0.1'],
    fingerprint: expect.stringMatching(/^[0-9A-F]{64}$/),
  })
  const at = { name: 'desk', address: '127.0.0.1', port: advertised.port }
  const signal = new AbortController().signal
  const peer = await probe(at, { identity: await someone(), timeoutMs: 5000, signal, insecureHttp: false })
  expect(peer).toMatchObject({
    fingerprint: advertised.fingerprint,
    info: { alias: 'desk', port: advertised.port, agent: { id: 'agent-7', capabilities: ['sha256'] } },
  })
})

test('an offer waits until somebody says where to, and arrives there', async () => {
  await smallMesh()
  const { session_id, port } = await advertise()
  const sending = sendTo(port, await folderOf({ a: 100_000, 'b/c': 5 }), await someone())
  const dest_dir = join(await temporaryFolder(), 'new')
  expect(await offered(session_id)).toEqual([
    { from: expect.any(String), address: '127.0.0.1', files: 2, bytes: 100_005 },
  ])
  expect(await call('localsend_receive', { session_id, dest_dir, accept: true })).toMatchObject({
    accept: true,
    dest_dir,
    decided: [{ files: 2, bytes: 100_005 }],
  })
  await expect(sending).resolves.toEqual({ declined: [] })
  expect(await filesBelow(dest_dir)).toEqual(['tree/a', 'tree/b/c'])
  const { received, ...status } = await statusOf(session_id)
  expect(status).toMatchObject({ bytes_received: 100_005, bytes_sent: 0, offers: [] })
  expect(received).toHaveLength(2)
  expect(received).toContainEqual({ name: 'tree/a', path: join(dest_dir, 'tree/a'), bytes: 100_000 })
  // What comes later goes there too.
  await sendTo(port, await folderOf({ later: 1 }), await someone())
  expect(await filesBelow(dest_dir)).toContain('tree/later')
})

test('accept: false declines what waits and what comes, and nothing is written', async () => {
  await smallMesh()
  const { session_id, port } = await advertise()
  const [path, dest_dir] = [await folderOf({ a: 10 }), await temporaryFolder()]
  const sending = sendTo(port, path, await someone())
  sending.catch(() => {})
  await offered(session_id)
  await call('localsend_receive', { session_id, dest_dir, accept: false })
  await expect(sending).rejects.toMatchObject({ trouble: 'declined' })
  await expect(sendTo(port, path, await someone())).rejects.toMatchObject({ trouble: 'declined' })
  expect(await filesBelow(dest_dir)).toEqual([])
})

test('what is said of a peer counts for that peer alone, by its certificate', async () => {
  await smallMesh()
  const { session_id: anybody, port } = await advertise()
  const known = await listening({ listen: [OTHER] })
  const session_id = await sessionAt(known.port)
  const [own, others] = [await temporaryFolder(), await temporaryFolder()]
  await call('localsend_receive', { session_id, dest_dir: own, accept: true })
  await call('localsend_receive', { session_id: anybody, dest_dir: others, accept: true })
  await sendTo(port, await folderOf({ known: 3 }), known.identity)
  await sendTo(port, await folderOf({ unknown: 5 }), await someone())
  expect(await filesBelow(own)).toEqual(['tree/known'])
  expect(await filesBelow(others)).toEqual(['tree/unknown'])
  expect(await statusOf(session_id)).toMatchObject({ bytes_received: 3 })
  expect(await statusOf(anybody)).toMatchObject({ bytes_received: 5 })
})

test('a sender that goes away takes its offer along, and the next one is heard', async () => {
  await smallMesh()
  const { session_id, port } = await advertise()
  const [path, leaving] = [await folderOf({ a: 10 }), new AbortController()]
  const gone = sendTo(port, path, await someone(), leaving.signal)
  gone.catch(() => {})
  await offered(session_id)
  leaving.abort(new Error('changed my mind'))
  await expect(gone).rejects.toThrow('changed my mind')
  await vi.waitUntil(async () => Object(await statusOf(session_id)).offers.length === 0, { timeout: 60_000 })
  const dest_dir = await temporaryFolder()
  await call('localsend_receive', { session_id, dest_dir, accept: true })
  await sendTo(port, path, await someone())
  expect(await filesBelow(dest_dir)).toEqual(['tree/a'])
})

test('a sender may cancel an offer that waits, as the app does, from its own address', async () => {
  await smallMesh()
  const { session_id, port } = await advertise()
  const identity = await someone()
  const signal = new AbortController().signal
  const sending = sendTo(port, await folderOf({ a: 10 }), identity)
  sending.catch(() => {})
  await offered(session_id)
  const at = { name: 'desk', address: '127.0.0.1', port, protocol: 'https' } as const
  const agent = new PinnedAgent(at, identity, 5000, signal)
  await exchange(agent, at, { method: 'POST', path: 'cancel', silenceMs: 5000 }, signal)
  agent.destroy()
  await expect(sending).rejects.toMatchObject({ trouble: 'declined' })
})

test('an offer that nobody decides is declined after a while', async () => {
  const doorkeeper = new Doorkeeper(50)
  const offer = { from: 'x', address: '127.0.0.1', files: [], bytes: 0 }
  expect(await doorkeeper.decide(offer, new AbortController().signal)).toBeUndefined()
})

test('names that lead out of dest_dir lead nowhere', async () => {
  await smallMesh()
  const { session_id, port } = await advertise()
  const outside = await temporaryFolder()
  const dest_dir = join(outside, 'in')
  await call('localsend_receive', { session_id, dest_dir, accept: true })
  const identity = await someone()
  const signal = new AbortController().signal
  const at = { name: 'desk', address: '127.0.0.1', port }
  const peer = await probe(at, { identity, timeoutMs: 5000, signal, insecureHttp: false })
  const [file] = (await walk([await folderOf({ a: 10 })])).files
  if (file === undefined) throw new Error('there is no file')
  const named = { ...(await hashed(file, signal)), name: '../../\u001B[2Jx' }
  const limits = { waitMs: 9000, silenceMs: 9000, connectMs: 9000, moved: () => {} }
  await sendFiles(peer, [named], { identity, signal, ...limits })
  expect(await filesBelow(outside)).toHaveLength(1)
  expect(await filesBelow(dest_dir)).toHaveLength(1)
  expect(JSON.stringify(await statusOf(session_id))).not.toContain('\\u001b')
})

test('advertised again for the same it goes on; for something else it begins anew', async () => {
  await smallMesh()
  const first = await advertise()
  expect(await advertise()).toEqual(first)
  const second = await advertise({ device_name: 'other' })
  expect(second.session_id).not.toBe(first.session_id)
  await expect(statusOf(first.session_id)).rejects.toThrow(/is not open/)
  expect(await answers(first.port)).toBe(false)
  expect(await answers(second.port)).toBe(true)
  await closeAll()
  expect(await answers(second.port)).toBe(false)
})

test.each([
  ['tailscale_ip', { tailscale_ip: '0.0.0.0' }, /^tailscale_ip takes a tailnet address/],
  ['tailscale_ip', { tailscale_ip: '192.168.1.2' }, /^tailscale_ip takes a tailnet address/],
  ['tailscale_ip', { tailscale_ip: 'n2; reboot' }, /^tailscale_ip takes a tailnet address/],
  ['device_name', { device_name: '' }, /^device_name got/],
  ['localsend_port', { localsend_port: 70_000 }, /^localsend_port got/],
])('advertise names %s when it can be nothing: %o', async (_field, more, says) => {
  await smallMesh()
  await expect(advertise(more)).rejects.toThrow(says)
})

test('without an advertised receiver, and for no session, receive says what to do', async () => {
  await smallMesh()
  const known = await listening({ listen: [OTHER] })
  const session_id = await sessionAt(known.port)
  const receive = async (id: string, dest_dir = '/tmp') =>
    await call('localsend_receive', { session_id: id, dest_dir, accept: true })
  await expect(receive(session_id)).rejects.toThrow(/call localsend_advertise first/)
  await expect(receive('nope')).rejects.toThrow(/^session_id "nope" is not open/)
  await advertise()
  await expect(receive(session_id, 'relative')).rejects.toThrow(/^dest_dir takes an absolute path/)
  await expect(receive(session_id, '/proc/none')).rejects.toThrow(/can't be used/)
})

test('the end does not wait for who has connected and says nothing', async () => {
  await smallMesh()
  const { port } = await advertise()
  const silent = connect(port, '127.0.0.1').on('error', () => {})
  await vi.waitUntil(() => silent.readyState === 'open', { timeout: 60_000 })
  const began = performance.now()
  await closeAll()
  expect(performance.now() - began).toBeLessThan(5000)
})

test('a call that is cancelled leaves no receiver behind', async () => {
  await smallMesh()
  const signal = AbortSignal.abort(new Error('cancelled'))
  await expect(call('localsend_advertise', ADVERTISED, { signal })).rejects.toThrow('cancelled')
  const { session_id } = await advertise()
  expect(await statusOf(session_id)).toMatchObject({ bytes_received: 0 })
})

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  }).finally(() => socket.destroy())
}
