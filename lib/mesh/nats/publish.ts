import { setImmediate as turn } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import { connectTo, NotAdmitted, within } from './connect.ts'
import type { NatsSettings } from './settings.ts'
import { subjectsOf } from './subjects.ts'

/**
 * One connection by which a machine puts its record into the bucket. The bucket acknowledges nothing, so that no machine
 * has the server write for it: what is known is that the server took what came.
 */
export class Publication {
  readonly #connection: NatsConnection
  readonly #subject: string
  readonly #settings: NatsSettings
  readonly #ended = new AbortController()
  #refused: string | undefined

  private constructor(connection: NatsConnection, settings: NatsSettings, name: string) {
    this.#connection = connection
    this.#settings = settings
    this.#subject = subjectsOf(settings.bucket).keyOf(name)
    void this.#listen()
    void connection.closed().then(() => this.#ended.abort())
  }

  /** @throws NotAdmitted, Failure in one line; the signal's reason */
  static async open(settings: NatsSettings, name: string, limits: Limits): Promise<Publication> {
    return new Publication(await connectTo(settings, limits), settings, name)
  }

  /** Aborted once the connection has ended, whoever has ended it. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Puts the record under this machine's name. @throws NotAdmitted when that is not for these credentials; Failure */
  async put(record: string, limits: Limits): Promise<void> {
    await this.#send(() => this.#connection.publish(this.#subject, record), limits)
  }

  /** Takes it away again. @throws Failure */
  async remove(limits: Limits): Promise<void> {
    const { headers } = await import('./library.ts')
    const gone = headers()
    gone.set('KV-Operation', 'DEL')
    await this.#send(() => this.#connection.publish(this.#subject, '', { headers: gone }), limits)
  }

  async close(limits: Limits): Promise<void> {
    await within(this.#connection.close(), limits).catch(() => {})
  }

  async #send(publish: () => void, limits: Limits): Promise<void> {
    const { server } = this.#settings
    try {
      publish()
      // The server says what it refuses before it answers this.
      await within(this.#connection.flush(), limits)
    } catch (error) {
      limits.signal.throwIfAborted()
      throw new Failure(`NATS at ${server} did not take the record: the connection has ended`, {
        cause: error,
      })
    }
    await turn()
    if (this.#refused !== undefined) throw new NotAdmitted(this.#refused)
  }

  async #listen(): Promise<void> {
    const { PermissionViolationError } = await import('./library.ts')
    for await (const status of this.#connection.status())
      if (status.type === 'error' && status.error instanceof PermissionViolationError)
        this.#refused = `NATS at ${this.#settings.server} does not let these credentials write ${this.#subject}: take those of this machine, or say --name`
  }
}
