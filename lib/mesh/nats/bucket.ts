import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import { connectTo, failureOf, TooLate, within } from './connect.ts'
import type { NatsSettings } from './settings.ts'
import { subjectsOf } from './subjects.ts'

/** What stands under one key, and since when by the server's clock. */
export type Entry = { key: string; value: Uint8Array; createdMs: number }

/** Bytes of all entries: a hundred thousand machines. */
const MOST_BYTES = 64_000_000

/**
 * All that stands in the bucket now.
 *
 * @returns the entries, and the server's own time: clocks of two machines may differ by more than a record is old
 * @throws Failure in one line; the signal's reason
 */
export async function readBucket(
  settings: NatsSettings,
  limits: Limits,
): Promise<{ entries: Entry[]; serverMs: number }> {
  const { server } = settings
  const deadlineMs = performance.now() + limits.timeoutMs
  const left = () => ({ ...limits, timeoutMs: deadlineMs - performance.now() })
  // What reads a bucket is loaded while the server is asked who is there.
  const loading = Promise.all([import('./library.ts'), import('./key-value-library.ts')])
  const connection = await connectTo(settings, limits)
  const [nats, { jetstream, Kvm }] = await loading
  try {
    return await within(entriesOf(), left())
  } catch (error) {
    limits.signal.throwIfAborted()
    throw readFailure(error)
  } finally {
    // It may hang as whatever has just failed does; nobody needs to wait for it.
    await within(connection.close(), { ...limits, timeoutMs: 500 }).catch(() => {})
  }

  async function entriesOf(): Promise<{ entries: Entry[]; serverMs: number }> {
    const { readersApi } = subjectsOf(settings.bucket)
    // Readers have a way of their own; an account that has the bucket itself has the usual one.
    try {
      return await entriesBy(readersApi)
    } catch (error) {
      if (!hasNoResponders(error)) throw error
      return await entriesBy('$JS.API')
    }
  }

  function hasNoResponders(error: unknown): boolean {
    if (!(error instanceof Error)) return false
    // The library keeps the class of the second one to itself.
    if (error instanceof nats.NoRespondersError || error.name === 'JetStreamNotEnabled') return true
    return hasNoResponders(error.cause)
  }

  async function entriesBy(apiPrefix: string): Promise<{ entries: Entry[]; serverMs: number }> {
    const timeout = Math.max(1, Math.ceil(left().timeoutMs))
    const client = jetstream(connection, { apiPrefix, timeout })
    const bucket = await new Kvm(client).open(settings.bucket, { allow_direct: false })
    const began = performance.now()
    const { streamInfo } = await bucket.status()
    const said: unknown = Reflect.get(streamInfo, 'ts')
    const at = typeof said === 'string' ? Date.parse(said) : Number.NaN
    const now = () => (Number.isNaN(at) ? Date.now() : at + (performance.now() - began))
    const { messages, bytes } = streamInfo.state
    if (bytes > MOST_BYTES) throw tooMuch()
    // A watch of an empty bucket tells nothing, and never ends.
    if (messages === 0) return { entries: [], serverMs: now() }
    const entries = new Map<string, Entry>()
    let read = 0
    for await (const { key, value, created, operation, delta } of await bucket.watch()) {
      read += value.length
      if (read > MOST_BYTES) throw tooMuch()
      if (operation === 'PUT') entries.set(key, { key, value, createdMs: created.getTime() })
      else entries.delete(key)
      if (delta === 0) break
    }
    return { entries: [...entries.values()], serverMs: now() }
  }

  function tooMuch(): Failure {
    return new Failure(`NATS at ${server} has more than ${MOST_BYTES / 1e6} MB in ${settings.bucket}`)
  }

  function readFailure(error: unknown): Failure {
    const causes = [error, error instanceof Error ? error.cause : undefined]
    if (error instanceof TooLate) return failureOf(error, server, nats)
    if (causes.some((each) => each instanceof nats.PermissionViolationError))
      return new Failure(
        `NATS at ${server} does not let these credentials read the bucket ${settings.bucket}: take those of a reader`,
        { cause: error },
      )
    if (hasNoResponders(error) || (error instanceof Error && /stream not found/i.test(error.message)))
      return new Failure(
        `NATS at ${server} has no bucket ${settings.bucket}: just nats-setup --create makes it`,
        { cause: error },
      )
    return failureOf(error, server, nats)
  }
}
