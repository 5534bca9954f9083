import { join } from 'node:path'
import { connect } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startReceiver } from '../../../lib/share/localsend/receiver/receiver.ts'
import { closeAll } from '../../../verbs/localsend/verbs.ts'
import { filesBelow, listening, sha256Of } from '../../lib/share/localsend/loopback.ts'
import { call, folderOf, OTHER, sessionAt, smallMesh, statusOf } from './calls.ts'

const KIB = 1024
const at = { listen: [OTHER] }

test('a file is sent to the negotiated peer as it is, and the session counts it', async () => {
  await smallMesh()
  const receiver = await listening(at)
  const negotiated = await call('localsend_negotiate', {
    peer_id: `${OTHER}:${receiver.port}`,
    preferred_transport: 'tailscale',
    max_chunk_bytes: 512 * KIB,
    max_parallel: 4,
  })
  expect(negotiated).toMatchObject({
    transport: 'tailscale',
    target_ip: OTHER,
    port: receiver.port,
    protocol: 'https',
    max_chunk_bytes: 512 * KIB,
    max_parallel: 4,
  })
  const session_id = String(negotiated.session_id)
  const file_path = join(await folderOf({ 'a ü.bin': 30_000_000 }), 'a ü.bin')
  const sent = await call('localsend_send', {
    session_id,
    file_path,
    chunk_bytes: 8 * KIB * KIB,
    parallelism: 9,
  })
  expect(sent).toMatchObject({
    files_sent: 1,
    bytes_sent: 30_000_000,
    declined: [],
    // What was agreed on, and what LocalSend can: one stream a file.
    chunk_bytes: 512 * KIB,
    parallelism: 1,
    throughput_bps: expect.any(Number),
  })
  expect(await filesBelow(receiver.folder)).toEqual(['a ü.bin'])
  expect(await sha256Of(join(receiver.folder, 'a ü.bin'))).toBe(await sha256Of(file_path))
  expect(await statusOf(session_id)).toMatchObject({
    bytes_sent: 30_000_000,
    bytes_received: 0,
    throughput_bps: sent.throughput_bps,
    target_bps: sent.throughput_bps,
    spectral_gap: 0,
    done: true,
    running: 0,
  })
})

test('the files of a folder go over as many streams as are wanted, and no more', async () => {
  await smallMesh()
  let [now, most] = [0, 0]
  const receiver = await listening(at)
  const counting = createServer((client) => {
    const upstream = connect(receiver.port, OTHER)
    now += 1
    most = Math.max(most, now)
    client.pipe(upstream).pipe(client)
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    client.on('error', end).once('close', () => {
      now -= 1
      end()
    })
    upstream.on('error', end).once('close', end)
  })
  counting.listen(0, OTHER)
  await once(counting, 'listening')
  onTestFinished(() => void counting.close())
  const address = counting.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const sizes = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`${index}`, 2_000_000]))
  const file_path = await folderOf(sizes)
  for (const [wanted, used] of [
    [5, 5],
    [16, 8],
  ]) {
    const session_id = await sessionAt(port)
    most = 0
    const sent = await call('localsend_send', { session_id, file_path, parallelism: wanted })
    expect(sent).toMatchObject({ files_sent: 12, parallelism: used, chunk_bytes: 256 * KIB })
    expect(most).toBe(used)
  }
})

test('a send that is cancelled ends, is taken back from the count, and leaves nothing there', async () => {
  await smallMesh()
  const receiver = await listening(at)
  const stalled = await stallingProxy(receiver.port, 1_000_000)
  const session_id = await sessionAt(stalled)
  const file_path = await folderOf({ big: 20_000_000 })
  const cancelling = new AbortController()
  const sending = call('localsend_send', { session_id, file_path }, { signal: cancelling.signal })
  await vi.waitUntil(async () => Number((await statusOf(session_id)).bytes_sent) > 0, { timeout: 60_000 })
  expect(await statusOf(session_id)).toMatchObject({ running: 1 })
  cancelling.abort(new Error('cancelled by the client'))
  await expect(sending).rejects.toThrow('cancelled by the client')
  expect(await statusOf(session_id)).toMatchObject({ running: 0, bytes_sent: 0 })
  await vi.waitUntil(async () => (await filesBelow(receiver.folder)).length === 0, { timeout: 60_000 })
})

test("the server's end ends a send that is under way, and the sessions with it", async () => {
  await smallMesh()
  const receiver = await listening(at)
  const session_id = await sessionAt(await stallingProxy(receiver.port, 1_000_000))
  const sending = call('localsend_send', { session_id, file_path: await folderOf({ big: 20_000_000 }) })
  sending.catch(() => {})
  await vi.waitUntil(async () => Number((await statusOf(session_id)).bytes_sent) > 0, { timeout: 60_000 })
  await closeAll()
  await expect(sending).rejects.toThrow('the session was closed')
  await expect(statusOf(session_id)).rejects.toThrow(/is not open: get one from localsend_negotiate/)
})

test('of many sessions the oldest idle one makes way', async () => {
  await smallMesh()
  const receiver = await listening(at)
  const ids: string[] = []
  for (let count = 0; count < 33; count += 1) ids.push(await sessionAt(receiver.port))
  await expect(statusOf(ids[0] ?? '')).rejects.toThrow(/is not open/)
  await expect(statusOf(ids[1] ?? '')).resolves.toMatchObject({ bytes_sent: 0, done: false })
})

test('a peer that wants a PIN, declines or has another certificate is an error that says what to do', async () => {
  await smallMesh()
  const file_path = await folderOf({ x: 1 })
  const locked = await listening({ ...at, pin: '4711' })
  const send = async (port: number) =>
    await call('localsend_send', { session_id: await sessionAt(port), file_path })
  await expect(send(locked.port)).rejects.toThrow(/PIN.*ask the person/)
  const closed = await startReceiver({
    listen: [OTHER],
    port: 0,
    identity: locked.identity,
    decide: async () => undefined,
    tell: () => {},
  })
  onTestFinished(closed.close)
  await expect(send(closed.port)).rejects.toThrow(`${OTHER} declined: it was declined`)
  await locked.close()
  await listening({ ...at, port: locked.port })
  await expect(sessionAt(locked.port)).rejects.toMatchObject({ trouble: 'changed' })
})

test.each([
  ['10.255.255.1:53317', /was not listed and is not of the tailnet/],
  ['127.0.0.1:53317', /was not listed and is not of the tailnet/],
  [`${OTHER}:0`, /names no port/],
  [`${OTHER}:70000`, /names no port/],
  ['\u001B[2Jn9', /"n9" was not listed/],
])('%j, which nobody has named, is not connected to', async (peer_id, says) => {
  await smallMesh()
  await expect(call('localsend_negotiate', { peer_id })).rejects.toThrow(says)
})

test('what a peer calls itself is plain text in a result', async () => {
  await smallMesh()
  const alias = '\u001B[31mred\u202Egpj'
  const receiver = await listening({ ...at, introduction: { alias } })
  const negotiated = await call('localsend_negotiate', { peer_id: `${OTHER}:${receiver.port}` })
  expect(negotiated.device_name).toBe('red gpj')
})

/** Hands on so many bytes of one direction, and then holds the connection open. */
async function stallingProxy(port: number, bytes: number): Promise<number> {
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, OTHER)
    let left = bytes
    client.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) client.pause()
      else upstream.write(chunk)
    })
    upstream.pipe(client)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket
        .on('error', () => {})
        .once('close', () => {
          client.destroy()
          upstream.destroy()
        })
    }
  })
  server.listen(0, OTHER)
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
