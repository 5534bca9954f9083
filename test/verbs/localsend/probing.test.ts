import { createServer } from 'node:https'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { lossBetween, parseSegments } from '../../../lib/share/localsend/measure/segments.ts'
import { PORT, PREFIX } from '../../../lib/share/localsend/schema.ts'
import { THROUGHPUT_PATH } from '../../../lib/share/localsend/receiver/throughput.ts'
import { Probe } from '../../../verbs/localsend/schemas.ts'
import { filesBelow, listening } from '../../lib/share/localsend/loopback.ts'
import { call, folderOf, OTHER, sessionAt, smallMesh, statusOf } from './calls.ts'

const KIB = 1024
const probed = async (input: Record<string, unknown>, signal?: AbortSignal) =>
  Probe.result.parse(await call('localsend_probe', input, signal ? { signal } : {}))

test('a probe of a receiver of this program measures and tunes, and leaves nothing there', async () => {
  await smallMesh()
  const receiver = await listening({ listen: [OTHER] })
  const session_id = await sessionAt(receiver.port)
  const result = await probed({ session_id, probe_bytes: 4 * KIB * KIB })
  expect(result).toMatchObject({ throughput_from: 'probe', rtt_ms: expect.any(Number) })
  expect(result.throughput_bps).toBeGreaterThan(1_000_000)
  expect(result.rtt_ms).toBeGreaterThan(0)
  const [first, second] = result.steps
  expect(first).toMatchObject({ chunk_bytes: 256 * KIB, parallelism: 1 })
  expect(second).toBeDefined()
  const best = result.steps.find(({ throughput_bps }) => throughput_bps === result.throughput_bps)
  expect(best).toMatchObject({ chunk_bytes: result.chunk_bytes, parallelism: result.parallelism })
  expect(receiver.events).toEqual([])
  expect(await filesBelow(receiver.folder)).toEqual([])
  expect(await statusOf(session_id)).toMatchObject({
    bytes_sent: 0,
    throughput_bps: result.throughput_bps,
    chunk_bytes: result.chunk_bytes,
    parallelism: result.parallelism,
    rtt_ms: result.rtt_ms,
    running: 0,
  })
})

test('the gap is how far the last measurement is from the best, and 0.25 is done', async () => {
  await smallMesh()
  const receiver = await listening({ listen: [OTHER] })
  const session_id = await sessionAt(receiver.port)
  const tuned = await probed({ session_id, probe_bytes: 8 * KIB * KIB })
  // Written 4 KiB at a time it is far slower.
  const sent = await call('localsend_send', {
    session_id,
    file_path: await folderOf({ big: 12_000_000 }),
    chunk_bytes: 4 * KIB,
  })
  const status = await statusOf(session_id)
  const target = Math.max(
    ...tuned.steps.map(({ throughput_bps }) => throughput_bps),
    Number(sent.throughput_bps),
  )
  expect(status).toMatchObject({ target_bps: target, throughput_bps: sent.throughput_bps })
  const gap = 1 - Number(sent.throughput_bps) / target
  expect(status.spectral_gap).toBeCloseTo(gap, 3)
  expect(status.done).toBe(gap <= 0.25)
})

test('a probe with a number of streams measures just these, within what was agreed on', async () => {
  await smallMesh()
  const receiver = await listening({ listen: [OTHER] })
  const session_id = await sessionAt(receiver.port, { max_parallel: 3, max_chunk_bytes: 64 * KIB })
  const { steps } = await probed({ session_id, probe_bytes: 1_000_000, probe_parallelism: 8 })
  expect(steps).toMatchObject([{ chunk_bytes: 64 * KIB, parallelism: 3 }])
})

test('of software of others only the round trip is measured, and the last send stands for the throughput', async () => {
  await smallMesh()
  const receiver = await listening({ listen: [OTHER] })
  const foreign = await foreignReceiver(receiver.identity)
  const session_id = await sessionAt(foreign.port)
  const { steps, ...result } = await probed({ session_id })
  expect(steps).toEqual([])
  expect(result).toEqual({ rtt_ms: expect.any(Number), chunk_bytes: 256 * KIB, parallelism: 1 })
  expect(foreign.uploaded()).toBe(0)
  expect(await statusOf(session_id)).not.toHaveProperty('spectral_gap')
  await call('localsend_send', { session_id, file_path: await folderOf({ big: 150_000_000 }) })
  const after = await probed({ session_id })
  const { throughput_bps } = await statusOf(session_id)
  expect(after).toMatchObject({ throughput_bps, throughput_from: 'send', steps: [] })
})

test('a probe that is cancelled ends', async () => {
  await smallMesh()
  const receiver = await listening({ listen: [OTHER] })
  const session_id = await sessionAt(receiver.port)
  const cancelling = new AbortController()
  const probing = probed({ session_id, probe_bytes: 256 * KIB * KIB }, cancelling.signal)
  setTimeout(() => cancelling.abort(new Error('cancelled')), 300)
  await expect(probing).rejects.toThrow('cancelled')
  expect(await statusOf(session_id)).toMatchObject({ running: 0 })
})

test('what a receiver throws away is bounded, and only for this tailnet', async () => {
  await smallMesh()
  const receiver = await listening({ listen: [OTHER], limits: { measurementBytes: 1_000_000 } })
  const session_id = await sessionAt(receiver.port)
  await expect(probed({ session_id, probe_bytes: 4_000_000, probe_parallelism: 1 })).rejects.toThrow(
    /takes no more measurements|broke/,
  )
  const none = await listening({ listen: [OTHER], limits: { measurementsAtOnce: 0 } })
  const busy = await sessionAt(none.port)
  await expect(probed({ session_id: busy })).rejects.toThrow(/try again later/)
})

const SS = `ESTAB 0 0 100.64.0.1:35278 100.64.0.2:53317
\t cubic wscale:7,7 rto:204 rtt:0.5/0.2 bytes_retrans:4344 segs_out:120 segs_in:60 data_segs_out:100 retrans:0/3 reordering:5
ESTAB 0 0 100.64.0.1:35280 100.64.0.2:53317
\t bbr wscale:7,7 segs_out:70 data_segs_out:50 bbr:(bw:1bps,mrtt:0.02)
`
test.each([
  ['two connections', SS, { sent: 150, sentAgain: 3 }],
  ['none', '', undefined],
  ['a kernel that does not count', 'ESTAB 0 0 a:1 b:2\n\t cubic rto:204\n', undefined],
])('the counts of %s are read from ss', (_what, output, expected) => {
  expect(parseSegments(output)).toEqual(expected)
})

test.each([
  [{ sent: 100, sentAgain: 1 }, { sent: 300, sentAgain: 5 }, 0.02],
  [{ sent: 100, sentAgain: 1 }, { sent: 300, sentAgain: 1 }, 0],
  [{ sent: 100, sentAgain: 1 }, { sent: 100, sentAgain: 1 }, undefined],
  [undefined, { sent: 100, sentAgain: 1 }, undefined],
  [{ sent: 100, sentAgain: 1 }, undefined, undefined],
])('between %o and %o the loss is %s', (before, after, loss) => {
  expect(lossBetween(before, after)).toBe(loss)
})

/** What answers as another LocalSend does: it takes files, and has no page but the protocol's. */
async function foreignReceiver({
  key,
  cert,
  fingerprint,
}: {
  key: string
  cert: string
  fingerprint: string
}) {
  let uploaded = 0
  const Offer = z.object({ files: z.record(z.string(), z.unknown()) })
  const server = createServer({ key, cert }, (message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      const path = (message.url ?? '').split('?')[0]?.replace(PREFIX, '')
      const info = { alias: 'phone', version: '2.1', fingerprint, port: PORT, protocol: 'https' }
      if (path === 'info' || path === 'register') return response.end(JSON.stringify(info))
      if (path === 'upload' || path === THROUGHPUT_PATH)
        uploaded += chunks.reduce((sum, { length }) => sum + length, 0)
      if (path === 'upload') return response.end()
      if (path !== 'prepare-upload') return response.writeHead(404).end('not found')
      const { files } = Offer.parse(JSON.parse(Buffer.concat(chunks).toString()))
      const tokens = Object.fromEntries(Object.keys(files).map((id) => [id, 'token']))
      return response.end(JSON.stringify({ sessionId: 's', files: tokens }))
    })
  })
  server.listen(0, OTHER)
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : 0, uploaded: () => uploaded }
}
