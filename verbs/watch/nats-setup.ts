import { join, resolve } from 'node:path'
import { InputError, UsageError } from '../../lib/base/errors.ts'
import { quoted } from '../../lib/base/text.ts'
import { bucketOf, FILES, listenOf, makeBucket, setUp } from '../../lib/mesh/nats/setup.ts'
import { BUCKET, isBucket, natsSettings, USUAL_BUCKET } from '../../lib/mesh/nats/settings.ts'
import { isNodeName, NODE_NAME } from '../../lib/mesh/nats/subjects.ts'
import { KEPT_SECONDS } from '../bounds.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import type { NatsSetupInput, NatsSetupResult } from './schemas.ts'

export const USUAL_FOLDER = 'nats'
const USUAL_LISTEN = '127.0.0.1:4222'

/**
 * Writes the files of a nats-server that keeps a mesh, adds machines to them, and with `create` makes the bucket on the
 * server that runs with them.
 *
 * @throws InputError, Failure
 */
export async function natsSetup(input: NatsSetupInput, deps: Deps): Promise<NatsSetupResult> {
  const dir = resolve(input.dir ?? USUAL_FOLDER)
  const { nodes = [], listen = USUAL_LISTEN, ttlSeconds = KEPT_SECONDS.usual } = input
  if (input.bucket !== undefined && !isBucket(input.bucket))
    throw new InputError('bucket', `takes ${BUCKET}, not ${quoted(input.bucket)}`)
  if (!/^[A-Za-z0-9.:[\]-]{1,255}:\d{1,5}$/.test(listen))
    throw new InputError('listen', `takes HOST:PORT, not ${quoted(listen)}`)
  const wrong = nodes.find((name) => !isNodeName(name) || isTaken(name))
  if (wrong !== undefined)
    throw new InputError(
      'node',
      `${quoted(wrong)} is no name of a machine here: ${NODE_NAME}; not owner or reader`,
    )
  const there = await bucketOf(dir)
  const bucket = there ?? input.bucket ?? USUAL_BUCKET
  if (input.bucket !== undefined && input.bucket !== bucket)
    throw new InputError('bucket', `${quoted(input.bucket)}: ${quoted(dir)} is for the bucket ${bucket}`)
  const { written, nodes: known } = await setUp(dir, {
    bucket,
    listen,
    ttlSeconds,
    nodes: [...new Set(nodes)],
  })
  const result = { dir, bucket, written, nodes: known }
  if (!input.create) return result
  const settings = await serverOf(input, dir)
  await makeBucket({ ...settings, bucket }, dir, {
    timeoutMs: timeoutMsOf(input),
    signal: deps.signal,
  })
  return { ...result, server: settings.server }
}

/** Their seeds would have the names of the owner's and the readers'. */
function isTaken(name: string): boolean {
  return [FILES.owner, FILES.reader].some((file) => file === `${name}.nk`)
}

async function serverOf(input: NatsSetupInput, dir: string) {
  const config = input.sourceConfig ?? join(dir, FILES.owner)
  if (input.source !== undefined) return await natsSettings(input.source, config)
  const listen = await listenOf(dir)
  if (listen === undefined)
    throw new UsageError(
      `${quoted(join(dir, FILES.server))} does not say where the server listens: --source nats=URL does`,
    )
  return await natsSettings(`nats=nats://${listen.replace(/^(?:0\.0\.0\.0|\[::\]):/, '127.0.0.1:')}`, config)
}
