import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ReceiverEvent } from '../../../lib/localsend/events.ts'
import { ownIdentity, type Identity } from '../../../lib/localsend/identity.ts'
import { startReceiver, type ReceiverOptions } from '../../../lib/localsend/receiver.ts'

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
