import { once } from 'node:events'
import { Agent, createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { exchange } from '../../../../../lib/share/localsend/client/exchange.ts'

// oxlint-disable no-underscore-dangle -- Node's streams are told how to write by methods of these names.

const ANSWERED_MS = 100

/** A connection that says later than its other end has answered that something has been written. */
function sayingLate(socket: Socket): Socket {
  const write = socket._write.bind(socket)
  // Node would hand several parts to this at once.
  Object.assign(socket, { _writev: undefined })
  socket._write = (chunk, encoding, written) =>
    write(chunk, encoding, (error) => void setTimeout(() => written(error), ANSWERED_MS))
  return socket
}

test('an answer that is heard before its request is known to be written keeps the connection for the next', async () => {
  const server = createServer((request, response) => request.resume().once('end', () => response.end('{}')))
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const { port } = address
  const made: Socket[] = []
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  agent.createConnection = () => {
    const socket = sayingLate(connect(port, '127.0.0.1'))
    made.push(socket)
    return socket
  }
  const ask = async () => {
    const body = { stream: Readable.from([Buffer.from('data')]) }
    const request = { method: 'POST', path: 'sink', body, silenceMs: 5000 } as const
    const there = { name: 'there', address: '127.0.0.1', port, protocol: 'http' } as const
    return await exchange(agent, there, request, AbortSignal.timeout(10_000))
  }
  expect(await ask()).toEqual({ status: 200, body: {} })
  await expect.poll(() => Object.keys(agent.freeSockets), { timeout: 5000 }).toHaveLength(1)
  expect(await ask()).toEqual({ status: 200, body: {} })
  expect(made.map(({ destroyed }) => destroyed)).toEqual([false])
})
