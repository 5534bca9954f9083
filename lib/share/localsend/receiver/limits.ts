/** How much the receiver lets others ask of it. */
export type ReceiverLimits = {
  /** Bytes of the headers of a request. */
  headerBytes: number
  /** Bytes of a body of JSON: an offer of some ten thousand files. */
  jsonBytes: number
  /** How long a body of JSON, or the headers, may take. */
  requestMs: number
  /** Files of one offer. */
  files: number
  /** Bytes of one offer. */
  bytes: number
  /** Bytes that stay free on the disk. */
  spareBytes: number
  connections: number
  connectionsPerAddress: number
  /** An upload must move so many bytes in every so many milliseconds. */
  pace: { bytes: number; everyMs: number }
  /** A session without an upload is over after so long. */
  idleMs: number
  /** After so long without an upload, its own sender may begin anew. */
  anewMs: number
  /** Tries a file may have. */
  attempts: number
  /** Wrong PINs that an address may try. */
  wrongPins: number
  /** Bytes of one measurement of the way here, which are thrown away. */
  measurementBytes: number
  measurementsAtOnce: number
}

export const LIMITS: ReceiverLimits = {
  headerBytes: 16 * 1024,
  jsonBytes: 8 * 1024 * 1024,
  requestMs: 10_000,
  files: 20_000,
  bytes: 16 * 1024 ** 4,
  spareBytes: 64 * 1024 * 1024,
  connections: 256,
  connectionsPerAddress: 32,
  pace: { bytes: 16 * 1024, everyMs: 15_000 },
  idleMs: 30_000,
  anewMs: 1000,
  attempts: 3,
  wrongPins: 3,
  measurementBytes: 256 * 1024 * 1024,
  measurementsAtOnce: 16,
}

/** Calls `late` once something moves slower than the pace. @returns what ends the watch */
export function watchPace(
  { bytes, everyMs }: ReceiverLimits['pace'],
  moved: () => number,
  late: () => void,
): () => void {
  let before = moved()
  const timer = setInterval(() => {
    const now = moved()
    if (now - before < bytes) late()
    before = now
  }, everyMs)
  return () => clearInterval(timer)
}
