import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { writeAtomically } from '../../base/atomic-file.ts'
import type { Limits } from '../../base/command.ts'
import { Failure, Refused } from '../../base/errors.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { messageOf, plain, quoted } from '../../base/text.ts'
import { connectTo, failureOf, within } from './connect.ts'
import { bucketConfig, hasNode, nodesText, readersText, serverText, withNode } from './server-files.ts'
import type { NatsSettings } from './settings.ts'

export const FILES = {
  server: 'server.conf',
  nodes: 'nodes.conf',
  readers: 'readers.conf',
  bucket: 'bucket.json',
  owner: 'owner.nk',
  reader: 'reader.nk',
} as const

const SECRET = 0o600
const READABLE = 0o644

export type Wanted = { bucket: string; listen: string; ttlSeconds: number; nodes: readonly string[] }
export type SetUp = {
  /** Names of the files that were written now, in the folder. */
  written: string[]
  nodes: { name: string; seed: string; added: boolean }[]
}

/**
 * Writes what is not there yet of the files of a nats-server, and adds machines to those that it knows. What is there is
 * left as it is, but for a line more in `nodes.conf`.
 *
 * @throws Failure in one line; Refused when a file is not as it was written
 */
export async function setUp(folder: string, { bucket, listen, ttlSeconds, nodes }: Wanted): Promise<SetUp> {
  const { nkeys } = await import('./library.ts')
  const written: string[] = []
  const write = async (name: string, text: string, mode: number) => {
    await writeAtomically(join(folder, name), text, mode).catch((error: unknown) => {
      throw new Failure(`${quoted(join(folder, name))} can't be written: ${messageOf(error)}`)
    })
    written.push(name)
  }
  const secret = async (name: string, whose: string): Promise<string> => {
    const pair = nkeys.createUser()
    const seed = new TextDecoder().decode(pair.getSeed())
    // Of a file of before that is still there, somebody may have a copy on another machine: it is not overwritten.
    if (await isThere(join(folder, name)))
      throw new Refused(
        `${quoted(join(folder, name))} is there, but nobody is known by it: move it away if it is of no use`,
      )
    await write(name, `# ${whose}\n${seed}\n`, SECRET)
    return pair.getPublicKey()
  }
  await makeFolder(folder).catch((error: unknown) => {
    throw new Failure(`the folder ${quoted(folder)} can't be made: ${messageOf(error)}`)
  })
  if (!(await isThere(join(folder, FILES.bucket))))
    await write(FILES.bucket, `${JSON.stringify(bucketConfig(bucket, ttlSeconds), null, 2)}\n`, READABLE)
  if (!(await isThere(join(folder, FILES.readers)))) {
    const key = await secret(FILES.reader, `reads the bucket ${bucket}`)
    await write(FILES.readers, readersText(bucket, key), READABLE)
  }
  if (!(await isThere(join(folder, FILES.nodes)))) {
    const key = await secret(FILES.owner, `makes the bucket ${bucket}: keep it where the server is`)
    await write(FILES.nodes, nodesText(key), READABLE)
  }
  // It comes last: a server that finds it finds what it includes.
  if (!(await isThere(join(folder, FILES.server)))) {
    const store = resolve(folder, 'jetstream')
    await write(FILES.server, serverText(bucket, { listen, store }), READABLE)
  }
  const added: SetUp['nodes'] = []
  let text = await textOf(folder, FILES.nodes)
  for (const name of nodes) {
    const seed = `${name}.nk`
    const isNew = !hasNode(text, bucket, name)
    if (isNew) {
      if (withNode(text, bucket, name, '') === undefined)
        throw new Refused(
          `${quoted(join(folder, FILES.nodes))} does not end as it was written, with a line "]": a machine can't be added`,
        )
      const key = await secret(seed, `writes what ${name} says of itself, and nothing else`)
      text = withNode(text, bucket, name, key) ?? text
    }
    added.push({ name, seed, added: isNew })
  }
  if (added.some((node) => node.added)) await write(FILES.nodes, text, READABLE)
  return { written: [...new Set(written)], nodes: added }
}

/** What the bucket is called that a folder is for; undefined where there is none yet. @throws Failure in one line */
export async function bucketOf(folder: string): Promise<string | undefined> {
  const path = join(folder, FILES.bucket)
  if (!(await isThere(path))) return undefined
  const { name } = await configOf(folder)
  const [, bucket] = typeof name === 'string' ? (/^KV_([A-Za-z0-9_-]{1,64})$/.exec(name) ?? []) : []
  if (bucket === undefined) throw new Failure(`${quoted(path)} names no stream KV_BUCKET`)
  return bucket
}

/** Where the server listens, as its configuration says; undefined where it says so in another form. @throws Failure */
export async function listenOf(folder: string): Promise<string | undefined> {
  return /^listen: "([^"]+)"$/m.exec(await textOf(folder, FILES.server))?.[1]
}

/**
 * Makes the bucket on a server that runs, as `bucket.json` has it, or changes the one that is there to that.
 *
 * @throws Failure in one line; the signal's reason
 */
export async function makeBucket(settings: NatsSettings, folder: string, limits: Limits): Promise<void> {
  const config = await configOf(folder)
  const deadlineMs = performance.now() + limits.timeoutMs
  const connection = await connectTo(settings, limits)
  const nats = await import('./library.ts')
  try {
    await within(made(), { ...limits, timeoutMs: deadlineMs - performance.now() })
  } catch (error) {
    limits.signal.throwIfAborted()
    throw failureOf(error, settings.server, nats)
  } finally {
    await within(connection.close(), { ...limits, timeoutMs: 500 }).catch(() => {})
  }

  async function made(): Promise<void> {
    // What is in the file is for the server to judge, all of it: the library's own calls would leave parts out.
    const ask = async (what: 'CREATE' | 'UPDATE') => {
      const subject = `$JS.API.STREAM.${what}.${String(config['name'])}`
      const reply = await connection.request(subject, JSON.stringify(config), {
        timeout: Math.max(1, Math.ceil(deadlineMs - performance.now())),
      })
      const answer: { error?: { description?: string; err_code?: number } } = reply.json()
      return answer.error
    }
    const refused = await ask('CREATE')
    const error = refused?.err_code === IN_USE ? await ask('UPDATE') : refused
    if (error)
      throw new Failure(
        `NATS at ${settings.server} does not make the bucket: ${plain(String(error.description), 200)}`,
      )
  }
}

/** JSStreamNameExistErr: there is one of this name, and it is not as this one. */
const IN_USE = 10_058

async function configOf(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await textOf(folder, FILES.bucket)
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document === 'object' && document !== null) return { ...document }
  } catch {
    // Said below.
  }
  throw new Failure(`${quoted(join(folder, FILES.bucket))} is no JSON object`)
}

async function textOf(folder: string, name: string): Promise<string> {
  return await readFile(join(folder, name), 'utf8').catch((error: unknown) => {
    throw new Failure(`${quoted(join(folder, name))} can't be read: ${messageOf(error)}`)
  })
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}
