import { mkdtemp } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { statusFromSocket } from '../../../lib/mesh/tailscale-socket.ts'

const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

/** A daemon that answers so; the path of its socket. */
async function daemon(answer: RequestListener): Promise<string> {
  const socket = join(await mkdtemp(join(tmpdir(), 'socket-')), 's')
  const server = createServer(answer)
  await new Promise<void>((resolve) => void server.listen(socket, resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return socket
}

const limits = (more = {}) => ({ timeoutMs: 5000, signal: new AbortController().signal, ...more })
const NONE = '/nowhere/socket'

test('the status is what the daemon answers to the question of its own command', async () => {
  let asked = ''
  const socket = await daemon(({ method, url, headers }, response) => {
    asked = `${method} ${url} ${headers.host}`
    response.end('{"BackendState":"Running"}')
  })
  expect(await statusFromSocket(limits(), [NONE, socket])).toBe('{"BackendState":"Running"}')
  expect(asked).toBe('GET /localapi/v0/status local-tailscaled.sock')
})

test.each<[string, RequestListener]>([
  ['it does not let one ask', (_, response) => void response.writeHead(403).end('{"no":1}')],
  ['it breaks off', (_, response) => void response.write('{"half', () => response.destroy())],
  ['it says too much', (_, response) => void response.end('x'.repeat(1001))],
  ['it says nothing', () => undefined],
])('where %s there is no status, and no error', { timeout: 10_000 }, async (_, answer) => {
  expect(await statusFromSocket(limits({ maxOutput: 1000 }), [await daemon(answer)])).toBeUndefined()
})

test('where there is no daemon there is no status', async () => {
  expect(await statusFromSocket(limits(), [NONE])).toBeUndefined()
})

test('who is interrupted does not wait for it', async () => {
  const controller = new AbortController()
  const socket = await daemon(() => controller.abort(new Error('enough')))
  await expect(statusFromSocket(limits({ signal: controller.signal }), [socket])).rejects.toThrow('enough')
})
