import { stateDir } from '../../lib/base/state-dir.ts'
import { plain } from '../../lib/base/text.ts'
import { sendFiles } from '../../lib/share/localsend/client/client.ts'
import { hashed, type HashedFile } from '../../lib/share/localsend/client/offer.ts'
import { ownIdentity } from '../../lib/share/localsend/identity.ts'
import { transferText } from '../../lib/share/transfer-text.ts'
import { walk } from '../../lib/share/walk.ts'
import { ACCEPT_WAIT_SECONDS } from '../bounds.ts'
import type { Deps } from '../verb.ts'
import { bitsPerSecond } from './figures.ts'
import { forAgents } from './for-agents.ts'
import type { SendInput, SendResult } from './schemas.ts'
import { observe, sessions } from './sessions.ts'

const SILENCE_MS = 20_000
const CONNECT_MS = 10_000
/** What took less time tells nothing of the speed. */
const LEAST_SECONDS = 0.05

/**
 * Sends a file, or the files of a folder, to a session's peer, with the tuned setting where none is named. LocalSend sends
 * each file in one request: only files of a folder go at the same time.
 *
 * @throws InputError, UsageError when there is nothing to send; PeerFailure, Failure; the signal's reason
 */
export async function send(input: SendInput, deps: Deps): Promise<SendResult> {
  const session = sessions.withPeer(input.session_id)
  const chunkBytes = Math.min(input.chunk_bytes ?? session.setting.chunkBytes, session.maxChunkBytes)
  const parallel = Math.min(input.parallelism ?? session.setting.streams, session.maxParallel)
  const { files: found, leftOut } = await walk([input.file_path])
  return await sessions.work(session, deps.signal, async (signal) => {
    const progress = await deps.progress('reading what is to be sent')
    const of = found.reduce((sum, { size }) => sum + size, 0)
    let [bytes, began] = [0, performance.now()]
    const moved = (more: number) => {
      if (bytes === 0) began = performance.now()
      bytes += more
      session.bytesSent += more
      const seconds = (performance.now() - began) / 1000
      progress.update(transferText({ bytes, of, seconds }), of > 0 ? bytes / of : undefined)
    }
    try {
      const files: HashedFile[] = []
      for (const file of found) files.push(await hashed(file, signal))
      const identity = await ownIdentity(await stateDir())
      const { declined } = await sendFiles(session.peer, files, {
        identity,
        signal,
        waitMs: ACCEPT_WAIT_SECONDS.usual * 1000,
        silenceMs: SILENCE_MS,
        connectMs: CONNECT_MS,
        parallel,
        chunkBytes,
        moved,
        waits: (what) => progress.update(plain(what)),
      })
      const seconds = (performance.now() - began) / 1000
      const sent = files.length - declined.length
      const bytesPerSecond = bytes > 0 && seconds >= LEAST_SECONDS ? bytes / seconds : undefined
      if (bytesPerSecond !== undefined) {
        observe(session, bytesPerSecond)
        session.sendBytesPerSecond = bytesPerSecond
      }
      return {
        files_sent: sent,
        bytes_sent: bytes,
        declined: declined.map(({ name }) => plain(name)),
        left_out: leftOut.map(({ name, why }) => `${plain(name)}: ${why}`),
        chunk_bytes: chunkBytes,
        parallelism: Math.min(parallel, sent),
        ...(bytesPerSecond === undefined ? {} : { throughput_bps: bitsPerSecond(bytesPerSecond) }),
      }
    } catch (error) {
      session.bytesSent -= bytes
      throw forAgents(error)
    } finally {
      progress.stop()
    }
  })
}
