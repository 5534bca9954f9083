import { UsageError } from '../../base/errors.ts'
import { quoted } from '../../base/text.ts'
import { isHost } from '../hosts.ts'
import type { Access } from './access.ts'

/** A NATS server into whose bucket each machine puts its own measurement, and how it is reached. */
export type NatsSettings = {
  /** `HOST:PORT`, as messages call it too. */
  server: string
  /** Whether nothing is said before the server has shown its certificate. */
  tls: boolean
  bucket: string
  access: Access
}

const FORM = 'write nats=URL, as nats=nats://127.0.0.1:4222, nats=tls://HOST:PORT or nats=nats://HOST/BUCKET'
export const USUAL_BUCKET = 'mesh'
const USUAL_PORT = 4222

/**
 * How a server is reached, as a person says it.
 *
 * @param source `nats=URL`, whose path is the name of the bucket
 * @param configFile see `accessOf`
 * @throws UsageError that names what is wrong
 */
export async function natsSettings(source: string, configFile?: string): Promise<NatsSettings> {
  const [, address] = /^nats=(.+)$/s.exec(source) ?? []
  const url = address === undefined ? undefined : parsed(address)
  if (url && (url.username !== '' || url.password !== ''))
    throw new UsageError(
      '--source: others on this machine can read what is on a command line: put the password in a file, for --source-config',
    )
  if (!url || !/^(?:nats|tls):$/.test(url.protocol) || !isHost(url.hostname.replaceAll(/[[\]]/g, '')))
    throw new UsageError(`--source ${quoted(source)}: ${FORM}`)
  if (url.search !== '' || url.hash !== '')
    throw new UsageError(`--source ${quoted(source)} has more than a host, a port and a bucket: ${FORM}`)
  const bucket = url.pathname.replace(/^\//, '') || USUAL_BUCKET
  if (!isBucket(bucket)) throw new UsageError(`--source: ${quoted(bucket)} is no name of a bucket: ${BUCKET}`)
  const access = configFile === undefined ? {} : await (await import('./access.ts')).accessOf(configFile) // not loaded where nobody needs it
  return {
    server: `${url.hostname}:${url.port || USUAL_PORT}`,
    tls: url.protocol === 'tls:',
    bucket,
    access,
  }
}

/** What the name of a bucket may be, for who wrote another one. */
export const BUCKET = 'letters, digits, _ and -, 64 at most'
export function isBucket(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text)
}

function parsed(address: string): URL | undefined {
  try {
    return new URL(address)
  } catch {
    return undefined
  }
}
