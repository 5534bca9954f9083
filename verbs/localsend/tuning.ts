const KIB = 1024

/** How files are sent: how much is written at a time, and over how many connections at once. */
export type Setting = { chunkBytes: number; streams: number }

/** What a setting brought. */
export type Tried = Setting & {
  bytesPerSecond: number
  /** Share of segments that were sent again; absent where the kernel does not tell. */
  lossRate?: number
  /** Round trip of a small request meanwhile. */
  rttMs: number
}

/** The most that both sides want. */
export type SettingLimits = { maxChunkBytes: number; maxParallel: number }

export const CHUNK_BYTES = { least: 4 * KIB, first: 256 * KIB, most: 1024 * KIB } as const
export const STREAMS = { least: 1, first: 1, most: 8 } as const
/** From here on more connections only lose more. */
const MOST_LOSS = 0.01
/** A round trip is steady while it is not longer than this, compared to that of the first setting. */
const STEADY = { times: 1.5, orMs: 10 } as const

/** The gap at which tuning is done where nobody has said another one: three quarters of what the way can carry. */
export const USUAL_GAP_TARGET = 0.25

export function firstSetting({ maxChunkBytes, maxParallel }: SettingLimits): Setting {
  return {
    chunkBytes: Math.min(CHUNK_BYTES.first, maxChunkBytes),
    streams: Math.min(STREAMS.first, maxParallel),
  }
}

/**
 * The setting to be tried after these: twice the streams up to 8 while less than 1 % is lost, then chunks up to 1 MiB
 * while the round trip is steady. Where loss is not known, the throughput has to grow instead.
 *
 * @returns undefined when there is none left
 */
export function nextSetting(tried: readonly Tried[], limits: SettingLimits): Setting | undefined {
  const first = firstSetting(limits)
  const last = tried.at(-1)
  if (last === undefined) return first
  if (last.chunkBytes === first.chunkBytes) {
    const streams = Math.min(last.streams * 2, STREAMS.most, limits.maxParallel)
    if (streams > last.streams && bearsMore(tried)) return { chunkBytes: first.chunkBytes, streams }
  }
  const base = last.chunkBytes === first.chunkBytes ? bestOf(tried) : last
  const chunkBytes = Math.min(last.chunkBytes * 2, CHUNK_BYTES.most, limits.maxChunkBytes)
  if (base === undefined || chunkBytes <= last.chunkBytes || !isSteady(tried, base)) return undefined
  return { chunkBytes, streams: base.streams }
}

/** The fastest of those that lost little; of all, where each lost much. */
export function bestOf(tried: readonly Tried[]): Tried | undefined {
  const calm = tried.filter(({ lossRate = 0 }) => lossRate < MOST_LOSS)
  return (calm.length > 0 ? calm : tried).toSorted((a, b) => b.bytesPerSecond - a.bytesPerSecond)[0]
}

/** How far what was observed stays behind the target, as a share of it. */
export function spectralGap(observed: number, target: number): number {
  return 1 - observed / target
}

function bearsMore(tried: readonly Tried[]): boolean {
  const [before, last] = [tried.at(-2), tried.at(-1)]
  if (last?.lossRate !== undefined) return last.lossRate < MOST_LOSS
  return before === undefined || (last?.bytesPerSecond ?? 0) > before.bytesPerSecond
}

function isSteady([first]: readonly Tried[], { rttMs }: Tried): boolean {
  return first !== undefined && rttMs <= Math.max(first.rttMs * STEADY.times, first.rttMs + STEADY.orMs)
}
