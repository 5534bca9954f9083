import { stateDir } from '../../lib/base/state-dir.ts'
import { bytesText } from '../../lib/base/bytes.ts'
import { ownIdentity } from '../../lib/share/localsend/identity.ts'
import {
  flood,
  hasSink,
  roundTripMs,
  type MeasureOptions,
} from '../../lib/share/localsend/measure/measure.ts'
import type { Deps } from '../verb.ts'
import { bitsPerSecond, milliseconds, share } from './figures.ts'
import { forAgents } from './for-agents.ts'
import { PROBE_BYTES, type ProbeInput, type ProbeResult } from './schemas.ts'
import { observe, sessions, type Session } from './sessions.ts'
import { bestOf, nextSetting, type Setting, type Tried } from './tuning.ts'

type PeerSession = ReturnType<typeof sessions.withPeer>

/** On a slow way less than the wanted bytes is enough to know how slow. */
const STEP_SECONDS = 4
const MOST_TRIED = 32

/**
 * Measures the way to a session's peer without leaving a file there, and tunes the session by it. A receiver of this
 * program takes bytes that it throws away; of other software only the round trip is measured, and how fast the last send
 * went.
 *
 * @throws InputError, PeerFailure, Failure; the signal's reason
 */
export async function probeSession(input: ProbeInput, deps: Deps): Promise<ProbeResult> {
  const session = sessions.withPeer(input.session_id)
  return await sessions.work(session, deps.signal, async (signal) => {
    const progress = await deps.progress('measuring round trips')
    try {
      const options = { identity: await ownIdentity(await stateDir()), signal }
      session.rttMs = await roundTripMs(session.peer, options)
      const bytes = input.probe_bytes ?? PROBE_BYTES.usual
      const tried = (await hasSink(session.peer, options))
        ? await measured(session, input.probe_parallelism, bytes, options, (text) => progress.update(text))
        : []
      return resultOf(session, tried)
    } catch (error) {
      throw forAgents(error)
    } finally {
      progress.stop()
    }
  })
}

/** Measures the number of streams that is wanted; where none is, all settings that tuning tries. */
async function measured(
  session: PeerSession,
  wanted: number | undefined,
  bytes: number,
  options: MeasureOptions,
  doing: (text: string) => void,
): Promise<Tried[]> {
  const step = async (setting: Setting): Promise<Tried> => {
    doing(`measuring ${setting.streams} streams of ${bytesText(setting.chunkBytes)}`)
    const sending = { ...setting, bytes, mostSeconds: STEP_SECONDS }
    const { bytes: arrived, seconds, ...known } = await flood(session.peer, sending, options)
    const tried = { ...setting, bytesPerSecond: arrived / seconds, ...known }
    observe(session, tried.bytesPerSecond)
    return tried
  }
  const tried: Tried[] = []
  if (wanted === undefined) {
    for (let next = nextSetting(tried, session); next; next = nextSetting(tried, session))
      tried.push(await step(next))
  } else tried.push(await step({ ...session.setting, streams: Math.min(wanted, session.maxParallel) }))
  tune(session, wanted === undefined ? tried : [...session.tried, ...tried])
  return tried
}

function tune(session: Session, tried: Tried[]): void {
  session.tried = tried.slice(-MOST_TRIED)
  const best = bestOf(session.tried)
  if (best !== undefined) session.setting = { chunkBytes: best.chunkBytes, streams: best.streams }
}

function resultOf(session: Session, tried: readonly Tried[]): ProbeResult {
  const best = bestOf(tried)
  if (best) session.bytesPerSecond = best.bytesPerSecond
  if (best?.lossRate === undefined) delete session.lossRate
  else session.lossRate = best.lossRate
  const from = best ? 'probe' : 'send'
  const bytesPerSecond = best?.bytesPerSecond ?? session.sendBytesPerSecond
  return {
    ...(bytesPerSecond === undefined
      ? {}
      : { throughput_bps: bitsPerSecond(bytesPerSecond), throughput_from: from }),
    rtt_ms: milliseconds(session.rttMs ?? 0),
    ...(best?.lossRate === undefined ? {} : { loss_rate: share(best.lossRate) }),
    chunk_bytes: session.setting.chunkBytes,
    parallelism: session.setting.streams,
    steps: tried.map(({ chunkBytes, streams, bytesPerSecond: speed, rttMs, lossRate }) => ({
      chunk_bytes: chunkBytes,
      parallelism: streams,
      throughput_bps: bitsPerSecond(speed),
      rtt_ms: milliseconds(rttMs),
      ...(lossRate === undefined ? {} : { loss_rate: share(lossRate) }),
    })),
  }
}
