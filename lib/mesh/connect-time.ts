/**
 * How long ssh may take to connect, which follows from the time that there is for the whole. `sshArguments` makes whole
 * seconds of it, one at least, because ssh knows no parts of a second.
 */

/** Of the time left, the share that connecting may take: as much again is left for the answer. */
const SHARE = 0.5

/** Nobody wants to wait longer than this to hear that a machine can't be reached, however long its work may take. */
const MOST_MS = 10_000

/** For a question that has to be answered within this time: a machine that connects late can't answer in time. */
export function connectMsBeforeAnswer(leftMs: number): number {
  return leftMs * SHARE
}

/** For work that has limits of its own once it is connected, such as a transfer: `timeoutMs` is for reaching the machine. */
export function connectMsBeforeWork(timeoutMs: number): number {
  return Math.min(MOST_MS, timeoutMs)
}
