import type { ReceiverEvent } from './events.ts'
import { watchPace, type ReceiverLimits } from './limits.ts'
import { Rejected, type Asked, type Reply } from './request.ts'
import type { OfferedFile } from '../schema.ts'
import { same, type Entry, type Session, type Sessions } from './sessions.ts'
import { store, type Expected, type Outcome } from './sink.ts'

export type IntakeOptions = {
  limits: ReceiverLimits
  sessions: Sessions
  tell: (event: ReceiverEvent) => void
}

/** Takes one file of the session. @throws Rejected */
export async function takeUpload(asked: Asked, options: IntakeOptions): Promise<Reply> {
  const { session, entry } = entryFor(asked, options.sessions)
  // Its connection broke, and this side has not noticed.
  while (entry.running) {
    entry.running.stop()
    await entry.running.ended
  }
  if (entry.state !== 'waiting' || options.sessions.current !== session)
    throw new Rejected(403, 'this file is not wanted any more')
  entry.tries += 1
  session.movedAt = performance.now()
  let ended = () => {}
  entry.running = {
    stop: () => asked.message.destroy(new Error('stopped')),
    ended: new Promise((resolve) => (ended = resolve)),
  }
  try {
    return await take(asked, session, entry, options)
  } finally {
    if (entry.state === 'waiting' && entry.tries >= options.limits.attempts) entry.state = 'failed'
    session.movedAt = performance.now()
    delete entry.running
    ended()
  }
}

function entryFor(asked: Asked, sessions: Sessions): { session: Session; entry: Entry } {
  const { query, address, fingerprint } = asked
  const [sessionId, fileId, token] = ['sessionId', 'fileId', 'token'].map((name) => query.get(name))
  if (!sessionId || fileId === undefined || fileId === null || !token)
    throw new Rejected(400, 'sessionId, fileId and token are needed')
  const session = sessions.find(sessionId, address, fingerprint)
  const entry = session?.entries.get(fileId)
  if (!session || !entry || !same(entry.token, token))
    throw new Rejected(403, 'no such session, file or token')
  return { session, entry }
}

async function take(asked: Asked, session: Session, entry: Entry, options: IntakeOptions): Promise<Reply> {
  const about = { from: session.alias, address: session.address, name: entry.file.fileName }
  const failed = (reason: string) => options.tell({ event: 'failed', ...about, reason })
  const announced = asked.message.headers['content-length']
  if (announced !== undefined && Number(announced) !== entry.file.size) {
    failed('it is not as long as was said')
    throw new Rejected(500, 'not as long as was said')
  }
  let outcome: Outcome
  let broken: unknown
  try {
    outcome = await store(
      paced(asked, options, (error) => (broken = error)),
      session.root,
      expected(entry.file),
    )
  } catch (error) {
    if (broken !== undefined) {
      failed(broken instanceof Error ? broken.message : 'the connection broke')
      throw new Rejected(408, 'the connection broke')
    }
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    failed(`it can't be written: ${error instanceof Error ? error.message : why}`)
    throw new Rejected(500, why === 'ENOSPC' ? 'the disk is full' : `it can't be written (${why})`)
  }
  if (outcome.outcome === 'wrong length') {
    failed('it is not as long as was said')
    throw new Rejected(500, 'not as long as was said')
  }
  if (outcome.outcome === 'damaged') {
    failed('its SHA-256 is another than was said')
    throw new Rejected(422, 'its SHA-256 is another than was said')
  }
  entry.state = 'stored'
  const { path, sha256 } = outcome
  options.tell({ event: 'stored', ...about, path, bytes: entry.file.size, sha256 })
  return { status: 200 }
}

/** The body's bytes, as long as they come fast enough. */
async function* paced(
  { message }: Asked,
  { limits }: IntakeOptions,
  broke: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  let bytes = 0
  const unwatch = watchPace(
    limits.pace,
    () => bytes,
    () => message.destroy(new Error('it came too slowly')),
  )
  try {
    for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length
      yield chunk
    }
  } catch (error) {
    broke(error)
    throw error
  } finally {
    unwatch()
  }
}

function expected({ fileName, size, sha256, metadata }: OfferedFile): Expected {
  const modified = timeOf(metadata?.modified)
  const accessed = timeOf(metadata?.accessed)
  return {
    fileName,
    size,
    ...(sha256 ? { sha256 } : {}),
    ...(modified ? { modified } : {}),
    ...(accessed ? { accessed } : {}),
  }
}

/** A time that a file can have; others are as if nothing was said. */
function timeOf(text: string | null | undefined): Date | undefined {
  const time = new Date(text ?? Number.NaN)
  return time.getTime() >= 0 && time.getUTCFullYear() < 2200 ? time : undefined
}
