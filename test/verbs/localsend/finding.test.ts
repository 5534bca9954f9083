import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { request } from 'node:https'
import { expect, onTestFinished, test } from 'vitest'
import { discover, GROUP } from '../../../lib/share/localsend/discovery/multicast.ts'
import { ownIdentity } from '../../../lib/share/localsend/identity.ts'
import { PORT, PREFIX } from '../../../lib/share/localsend/schema.ts'
import { knownPeers } from '../../../verbs/localsend/known-peers.ts'
import { listening, temporaryFolder } from '../../lib/share/localsend/loopback.ts'
import { call, OTHER, smallMesh } from './calls.ts'

const LOOPBACK = [{ address: '127.0.0.1', cidr: '127.0.0.1/8' }]
const signal = new AbortController().signal

type Announcement = { fingerprint: string; port: number; protocol: string; announce: boolean }

/** A LocalSend on this machine's loopback that hears announcements. */
async function hearing(answer: (announcement: Announcement, say: (info: unknown) => void) => void) {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  onTestFinished(() => void socket.close())
  socket.bind(PORT)
  await once(socket, 'listening')
  socket.addMembership(GROUP, '127.0.0.1')
  socket.setMulticastInterface('127.0.0.1')
  socket.on('message', (datagram) => {
    const said: Announcement = JSON.parse(datagram.toString())
    if (said.announce) answer(said, (info) => socket.send(JSON.stringify(info), PORT, GROUP))
  })
}

const info = (alias: string, fingerprint: string, port: number) => {
  return { alias, version: '2.1', fingerprint, port, protocol: 'https', download: false, announce: false }
}

test('who answers an announcement by a datagram or over HTTPS is found, each once, and oneself is not', async () => {
  const identity = await ownIdentity(await temporaryFolder())
  await hearing(({ port, fingerprint }, say) => {
    say(info('by datagram', 'AA', 5001))
    say(info('this one', fingerprint, 5003))
    say('nonsense')
    const path = `${PREFIX}register`
    const asked = request({ host: '127.0.0.1', port, path, method: 'POST', rejectUnauthorized: false })
    asked.on('error', () => {})
    asked.end(JSON.stringify(info('by register', 'BB', 5002)))
  })
  const heard = await discover(identity, signal, LOOPBACK)
  expect(heard).toHaveLength(2)
  for (const [alias, port] of [
    ['by datagram', 5001],
    ['by register', 5002],
  ])
    expect(heard).toContainEqual({ address: '127.0.0.1', info: expect.objectContaining({ alias, port }) })
})

test('listening for announcements ends when it is cancelled', async () => {
  const identity = await ownIdentity(await temporaryFolder())
  const cancelling = new AbortController()
  const began = performance.now()
  setTimeout(() => cancelling.abort(new Error('cancelled')), 100)
  await expect(discover(identity, cancelling.signal, LOOPBACK)).rejects.toThrow('cancelled')
  expect(performance.now() - began).toBeLessThan(2500)
})

test('the mesh is asked at the port of LocalSend, and agents tell who they are', async () => {
  await smallMesh()
  const introduction = { alias: '\u001B[1mdesk', agent: { id: 'agent\u202E-7', capabilities: ['a', 'b'] } }
  const receiver = await listening({ listen: [OTHER], port: PORT, introduction })
  expect(await call('localsend_list_peers', { source: 'tailscale' })).toEqual({
    peers: [
      {
        peer_id: OTHER,
        device_name: 'desk',
        address: OTHER,
        port: PORT,
        protocol: 'https',
        version: '2.2',
        agent_id: 'agent -7',
        capabilities: ['a', 'b'],
      },
    ],
  })
  expect(await call('localsend_negotiate', { peer_id: OTHER })).toMatchObject({ port: PORT })
  await receiver.close()
  expect(await call('localsend_list_peers', { source: 'tailscale' })).toEqual({ peers: [] })
})

test('the transport that is preferred is taken where the same device was listed by it', async () => {
  await smallMesh()
  const [here, there] = [await listening({ listen: [OTHER] }), await listening({ listen: ['127.0.0.3'] })]
  const same = await listening({ listen: ['127.0.0.3'], identity: here.identity })
  const transport = 'localsend_multicast'
  const multicast = { id: 'm', name: 'm', address: '127.0.0.3', transport } as const
  const negotiated = async () =>
    await call('localsend_negotiate', { peer_id: `${OTHER}:${here.port}`, preferred_transport: transport })
  knownPeers.note({ ...multicast, port: there.port, fingerprint: there.identity.fingerprint })
  expect(await negotiated()).toMatchObject({ transport: 'tailscale', target_ip: OTHER })
  knownPeers.note({ ...multicast, port: same.port, fingerprint: here.identity.fingerprint })
  expect(await negotiated()).toMatchObject({ transport, target_ip: '127.0.0.3', port: same.port })
  // Another one that has taken its place is not trusted, and the way that works is taken.
  knownPeers.note({ ...multicast, port: there.port, fingerprint: here.identity.fingerprint })
  expect(await negotiated()).toMatchObject({ transport: 'tailscale', target_ip: OTHER })
})

test('NATS is an error that says that none is configured', async () => {
  await smallMesh()
  await expect(call('localsend_list_peers', { source: 'nats' })).rejects.toMatchObject({
    name: 'InputError',
    message: expect.stringMatching(/^source takes nats only where a NATS source is configured, and none is/),
  })
})
