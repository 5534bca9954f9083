import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { closeAll, localsending } from '../../../verbs/localsend/verbs.ts'
import type { Deps } from '../../../verbs/verb.ts'
import { temporaryFolder } from '../../lib/share/localsend/loopback.ts'

/** Where another machine of the mesh is to be, on this machine: nobody takes it for this one. */
export const OTHER = '127.0.0.2'

/** A mesh of this machine and one other on the loopback, with a state of its own; all is closed when the test is over. */
export async function smallMesh(): Promise<void> {
  vi.stubEnv('XDG_STATE_HOME', await temporaryFolder())
  vi.stubEnv('RESOURCE_SHARING_HOSTS', OTHER)
  onTestFinished(async () => {
    await closeAll()
    vi.unstubAllEnvs()
  })
}

export function depsOf(signal: AbortSignal, told: string[] = []): Deps {
  return {
    signal,
    warn: (line) => void told.push(line),
    hint: (line) => void told.push(line),
    confirm: async () => {},
    progress: async () => ({ update: () => {}, stop: () => {} }),
  }
}

/** Calls a tool as the server does. What it gives has to fit its schema. */
export async function call(
  name: string,
  input: unknown,
  { signal = new AbortController().signal, told = [] }: { signal?: AbortSignal; told?: string[] } = {},
): Promise<Record<string, unknown>> {
  const verb = localsending.find((each) => each.name === name)
  if (!verb) throw new RangeError(`there is no verb ${name}`)
  const result = verb.result.parse(await verb.call(input, depsOf(signal, told)))
  return z.record(z.string(), z.unknown()).parse(result)
}

/** A session with the other machine at a port. */
export async function sessionAt(port: number, more: Record<string, unknown> = {}): Promise<string> {
  return String((await call('localsend_negotiate', { peer_id: `${OTHER}:${port}`, ...more })).session_id)
}

export const statusOf = async (session_id: string) => await call('localsend_session_status', { session_id })

/** A folder with files of these sizes, by their names in it. */
export async function folderOf(sizes: Record<string, number>): Promise<string> {
  const folder = join(await temporaryFolder(), 'tree')
  for (const [name, size] of Object.entries(sizes)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), randomBytes(size))
  }
  return folder
}
