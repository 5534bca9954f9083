import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ReceiverEvent } from '../../../../lib/share/localsend/receiver/events.ts'
import { ownIdentity, type Identity } from '../../../../lib/share/localsend/identity.ts'
import { startReceiver, type ReceiverOptions } from '../../../../lib/share/localsend/receiver/receiver.ts'

/** A folder that is gone when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'localsend-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export type Listening = {
  port: number
  folder: string
  identity: Identity
  events: ReceiverEvent[]
  close: () => Promise<void>
}

/** A real receiver on a free port of the loopback, in folders of its own. */
export async function listening(options: Partial<ReceiverOptions> = {}): Promise<Listening> {
  const identity = await ownIdentity(await temporaryFolder())
  const folder = options.folder ?? (await temporaryFolder())
  const events: ReceiverEvent[] = []
  const receiver = await startReceiver({
    folder,
    listen: ['127.0.0.1'],
    port: 0,
    identity,
    tell: (event) => events.push(event),
    ...options,
  })
  let closing: Promise<void> | undefined
  const close = async () => (closing ??= receiver.close())
  onTestFinished(close)
  return { port: receiver.port, folder, identity, events, close }
}

/** Relative names of all files below a folder, sorted, hidden ones too. */
export async function filesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  const files = await Promise.all(
    names.map(async (name) => ((await stat(join(folder, name))).isDirectory() ? [] : [name])),
  )
  return files.flat().toSorted()
}

export async function sha256Of(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

/** Hands bytes on, and once armed, breaks one connection after the other when so many have gone by. */
export async function breakingProxy(port: number, breakAt: number[]) {
  let armed = false
  let broken = 0
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    let bytes = 0
    client.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      const limit = breakAt[0]
      if (!armed || limit === undefined || bytes < limit) return upstream.write(chunk)
      breakAt.shift()
      broken += 1
      client.destroy()
      upstream.destroy()
      return false
    })
    upstream.pipe(client)
    for (const socket of [client, upstream])
      socket
        .on('error', () => {})
        .on('close', () => {
          client.destroy()
          upstream.destroy()
        })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    arm: () => (armed = true),
    broken: () => broken,
  }
}
