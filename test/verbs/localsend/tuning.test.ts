import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bestOf,
  firstSetting,
  nextSetting,
  spectralGap,
  type SettingLimits,
  type Tried,
} from '../../../verbs/localsend/tuning.ts'

const KIB = 1024
const WIDE = { maxChunkBytes: 4096 * KIB, maxParallel: 32 }

type Way = (setting: { chunkBytes: number; streams: number }) => Omit<Tried, 'chunkBytes' | 'streams'>

/** The settings that are tried on a way, as `KIB x STREAMS`. */
function ladder(way: Way, limits: SettingLimits = WIDE): Tried[] {
  const tried: Tried[] = []
  for (;;) {
    const next = nextSetting(tried, limits)
    if (next === undefined) return tried
    tried.push({ ...next, ...way(next) })
    if (tried.length > 20) throw new Error('it does not end')
  }
}
const names = (tried: readonly Tried[]) =>
  tried.map(({ chunkBytes, streams }) => `${chunkBytes / KIB}x${streams}`)

const clean = { bytesPerSecond: 1000, lossRate: 0, rttMs: 20 }

test.each<[string, Way, string[]]>([
  ['a clean way is tried to its end', () => clean, ['256x1', '256x2', '256x4', '256x8', '512x1', '1024x1']],
  [
    'chunks grow with the streams that were fastest',
    ({ streams }) => ({ ...clean, bytesPerSecond: 1000 * streams }),
    ['256x1', '256x2', '256x4', '256x8', '512x8', '1024x8'],
  ],
  [
    'streams stop at a loss of 1 %, and chunks grow with fewer',
    ({ streams }) => ({ ...clean, bytesPerSecond: 1000 * streams, lossRate: streams > 2 ? 0.01 : 0.0099 }),
    ['256x1', '256x2', '256x4', '512x2', '1024x2'],
  ],
  [
    'chunks do not grow once the round trip is half as long again',
    ({ streams }) => ({ ...clean, bytesPerSecond: 1000 * streams, rttMs: 40 * streams }),
    ['256x1', '256x2', '256x4', '256x8'],
  ],
  [
    'chunks stop growing when the round trip does not stay as it was',
    ({ chunkBytes }) => ({ ...clean, rttMs: chunkBytes > 256 * KIB ? 100 : 20 }),
    ['256x1', '256x2', '256x4', '256x8', '512x1'],
  ],
  [
    'where loss is not known, streams stop when they bring nothing',
    ({ streams }) => ({ bytesPerSecond: streams > 1 ? 2000 : 1000, rttMs: 20 }),
    ['256x1', '256x2', '256x4', '512x2', '1024x2'],
  ],
])('%s', (_claim, way, expected) => {
  expect(names(ladder(way))).toEqual(expected)
})

test.each<[SettingLimits, string[]]>([
  [{ maxChunkBytes: 64 * KIB, maxParallel: 1 }, ['64x1']],
  [{ maxChunkBytes: 300 * KIB, maxParallel: 3 }, ['256x1', '256x2', '256x3', '300x1']],
])('what the sides agreed on is not exceeded: %o', (limits, expected) => {
  expect(names(ladder(() => clean, limits))).toEqual(expected)
})

const anyWay = fc.array(
  fc.record({
    bytesPerSecond: fc.integer({ min: 1, max: 1e9 }),
    lossRate: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    rttMs: fc.double({ min: 0.01, max: 2000, noNaN: true }),
  }),
  { minLength: 20, maxLength: 20 },
)
const anyLimits = fc.record({
  maxChunkBytes: fc.integer({ min: 4 * KIB, max: 8192 * KIB }),
  maxParallel: fc.integer({ min: 1, max: 64 }),
})

test('on any way it ends soon, keeps within its limits, and adds no stream after a loss', () => {
  fc.assert(
    fc.property(anyWay, anyLimits, (way, limits) => {
      let at = 0
      const tried = ladder(() => {
        const { lossRate, ...rest } = way[at++] ?? clean
        return { ...rest, ...(lossRate === undefined ? {} : { lossRate }) }
      }, limits)
      expect(tried.length).toBeLessThanOrEqual(6)
      expect(tried[0]).toMatchObject(firstSetting(limits))
      for (const [index, { chunkBytes, streams }] of tried.entries()) {
        expect(chunkBytes).toBeLessThanOrEqual(Math.min(limits.maxChunkBytes, 1024 * KIB))
        expect(streams).toBeLessThanOrEqual(Math.min(limits.maxParallel, 8))
        const before = tried[index - 1]
        if (before !== undefined && (before.lossRate ?? 0) >= 0.01)
          expect(streams).toBeLessThanOrEqual(before.streams)
      }
      const best = bestOf(tried)
      expect(tried).toContain(best)
      const calm = tried.filter(({ lossRate = 0 }) => lossRate < 0.01)
      for (const other of calm) expect(best?.bytesPerSecond).toBeGreaterThanOrEqual(other.bytesPerSecond)
    }),
  )
})

test.each([
  [75, 100, 0.25],
  [100, 100, 0],
  [20, 80, 0.75],
])('of %i observed and %i to be had the gap is %f', (observed, target, gap) => {
  expect(spectralGap(observed, target)).toBeCloseTo(gap, 10)
})
