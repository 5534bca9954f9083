import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { isIP, type Socket } from 'node:net'
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'
import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import { messageOf, plain } from '../../base/text.ts'
import { tlsFault } from '../tls-fault.ts'
import type * as Library from './library.ts'
import type { NatsSettings } from './settings.ts'
import { subjectsOf } from './subjects.ts'

/** The server does not take these credentials, and will not however often it is asked. */
export class NotAdmitted extends Failure {
  override name = 'NotAdmitted'
}

/** How long without a word of the server's a connection is taken for one. */
const PING_MS = 20_000

/**
 * A connection that is tried once and, when it ends, is not made anew.
 *
 * @throws NotAdmitted, Failure in one line; the signal's reason
 */
export async function connectTo(settings: NatsSettings, limits: Limits): Promise<NatsConnection> {
  const { timeoutMs, signal } = limits
  const nats = await import('./library.ts')
  const { server, access, bucket, tls } = settings
  const options: NodeConnectionOptions = {
    servers: server,
    name: 'resource-sharing',
    reconnect: false,
    ignoreClusterUpdates: true,
    timeout: Math.max(1, Math.ceil(timeoutMs)),
    pingInterval: PING_MS,
    inboxPrefix: subjectsOf(bucket).readersInbox,
    ...(tls || access.tls ? { tls: { ...namedBy(server), ...access.tls } } : {}),
    ...credentialsOf(settings, nats),
  }
  const opened = new OpenedSockets()
  const connecting = opened.during(async () => await nats.connect(options))
  try {
    return await within(connecting, limits)
  } catch (error) {
    // One that comes to be all the same is of no use to anybody.
    connecting.then(
      async (late) => await late.close(),
      () => {},
    )
    opened.destroy()
    signal.throwIfAborted()
    throw failureOf(error, server, nats, tls || access.tls !== undefined)
  } finally {
    opened.forget()
  }
}

/**
 * Whose certificate it has to be, of a server at an address: the library says that of names alone, and Node then takes
 * it for one of localhost (`host` of `tls.connect`).
 */
function namedBy(server: string): { host?: string } {
  const host = server.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '')
  return isIP(host) === 0 ? {} : { host }
}

/**
 * The sockets that something opens. The library keeps those on which no server has said who it is, and with one of them no
 * program ends.
 */
class OpenedSockets {
  readonly #scope = new AsyncLocalStorage<OpenedSockets>()
  readonly #sockets = new Set<Socket>()
  readonly #heard = (message: unknown) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is published there
    if (this.#scope.getStore() === this) this.#sockets.add((message as { socket: Socket }).socket)
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    subscribe('net.client.socket', this.#heard)
    return await this.#scope.run(this, work)
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  forget(): void {
    unsubscribe('net.client.socket', this.#heard)
  }
}

/** The same, within the time and until the signal is aborted. @throws TooLate; the signal's reason */
export async function within<T>(promise: Promise<T>, { timeoutMs, signal }: Limits): Promise<T> {
  signal.throwIfAborted()
  let timer: NodeJS.Timeout | undefined
  let stop = () => {}
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new TooLate()), Math.max(1, timeoutMs))
        stop = () => reject(signal.reason)
        signal.addEventListener('abort', stop)
      }),
    ])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

export class TooLate extends Error {
  override name = 'TooLate'
}

type Nats = typeof Library

function credentialsOf({ access: { credentials } }: NatsSettings, nats: Nats): NodeConnectionOptions {
  if (!credentials) return {}
  if (credentials.kind === 'password') return { user: credentials.user, pass: credentials.password }
  const bytes = (text: string) => new TextEncoder().encode(text)
  return {
    authenticator:
      credentials.kind === 'nkey'
        ? nats.nkeyAuthenticator(bytes(credentials.seed))
        : nats.credsAuthenticator(bytes(credentials.text)),
  }
}

/** What went wrong, in one line. */
export function failureOf(error: unknown, server: string, nats: Nats, overTls = false): Failure {
  if (error instanceof Failure) return error
  const says = (what: string) => new Failure(`NATS at ${server} ${what}`, { cause: error })
  if (error instanceof TooLate || error instanceof nats.TimeoutError)
    return says('gave no whole answer in time: raise --timeout')
  if (
    error instanceof nats.AuthorizationError ||
    error instanceof nats.UserAuthenticationExpiredError ||
    /nkey|nonce|seed|jwt/i.test(messageOf(error))
  )
    return new NotAdmitted(
      `NATS at ${server} does not take these credentials: give it a file with those that it knows, by --source-config`,
      { cause: error },
    )
  if (error instanceof Error && /'tls'/.test(error.message))
    return says('offers no TLS: write nats://, not tls://, if that is right')
  return says(tlsFault(error, overTls) ?? `can't be asked: ${plain(messageOf(error), 200)}`)
}
