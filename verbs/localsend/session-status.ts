import { plain } from '../../lib/base/text.ts'
import { advertised, gapTarget } from './advertised.ts'
import { bitsPerSecond, milliseconds, share } from './figures.ts'
import { shown } from './receive.ts'
import type { SessionStatusInput, SessionStatusResult } from './schemas.ts'
import { sessions } from './sessions.ts'
import { spectralGap } from './tuning.ts'

/** What a session has moved, how fast, and what waits for a decision. @throws InputError */
export async function sessionStatus(input: SessionStatusInput): Promise<SessionStatusResult> {
  const session = sessions.get(input.session_id)
  const { bytesPerSecond: observed, mostBytesPerSecond: target, rttMs, lossRate } = session
  const gap = observed === undefined || target === undefined ? undefined : spectralGap(observed, target)
  return {
    bytes_sent: session.bytesSent,
    bytes_received: session.bytesReceived,
    ...(observed === undefined ? {} : { throughput_bps: bitsPerSecond(observed) }),
    ...(target === undefined ? {} : { target_bps: bitsPerSecond(target) }),
    ...(gap === undefined ? {} : { spectral_gap: share(gap) }),
    done: gap !== undefined && gap <= gapTarget(),
    chunk_bytes: session.setting.chunkBytes,
    parallelism: session.setting.streams,
    ...(rttMs === undefined ? {} : { rtt_ms: milliseconds(rttMs) }),
    ...(lossRate === undefined ? {} : { loss_rate: share(lossRate) }),
    running: session.running.size,
    received: session.received.map(({ name, path, bytes }) => ({
      name: plain(name),
      path: plain(path, 4096),
      bytes,
    })),
    offers: shown(advertised()?.doorkeeper.waitingFor(session) ?? []),
  }
}
