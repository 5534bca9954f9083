import { randomBytes } from 'node:crypto'
import { Failure } from '../../base/errors.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { arrived, left, marks } from '../admission/reserve.ts'
import { expectedCpu } from '../../machine/reservations/reservations.ts'
import type { RoomyHost } from './choose.ts'
import { fetchReturned, missingText } from './fetch.ts'
import { runForeground, type Prepared, type Terminal } from './foreground.ts'
import { holding } from './hold.ts'
import type { Work } from './job.ts'
import { Lifeline } from './lifeline.ts'
import { callOn } from './runner.ts'
import { prepare } from './start.ts'
import { sendFiles } from './transfer.ts'

export type OffloadOptions = {
  reach: Reach
  signal: AbortSignal
  /** Not where something has just arrived: see `ARRIVAL_REST_SECONDS`. */
  settled: boolean
}

/** It was run there; or it was not begun there, why, and whether it may be taken later. */
export type Offloaded =
  | { begun: true; exitCode: number; notes: string[] }
  | { begun: false; reason: string; later: boolean }

const STEP_MS = 30_000
const CLEAN_UP_MS = 2000

/**
 * Runs a command on a machine now: reserves it, sends the files, runs it in the foreground, and brings back what it has
 * made.
 *
 * @throws Failure; the signal's reason
 */
export async function offload(
  host: Host,
  work: Work,
  terminal: Terminal,
  way: OffloadOptions,
): Promise<Offloaded> {
  const { reach, signal, settled } = way
  const run = `${randomBytes(8).toString('hex')}-0`
  const hold = { owner: `offload-${run}`, cpu: work.cpu, settled }
  const limits = { timeoutMs: STEP_MS, signal }
  // The reservation is held until it has begun, and the work counts as arrived from then on.
  const held = await holding(host, hold, reach, signal, async (hasArrived) => {
    const made = await ready(host, run, hold.owner, work, way)
    if ('reason' in made) return made
    let begun = () => {}
    const beginning = new Promise<boolean>((resolve) => {
      begun = () => resolve(true)
    })
    const { lifeline, prepared } = made
    const ending = runForeground(prepared, work, terminal, { lifeline, reach, signal, begun })
    const failed = ending.then(
      () => true,
      () => false,
    )
    if (await Promise.race([beginning, failed])) {
      const counted = await arrived(host, hold, reach, limits).catch(() => undefined)
      if (counted?.taken) hasArrived()
    }
    return { lifeline, ending: () => ending }
  })
  if (!held.taken) {
    const later = held.why === 'reserved' || held.why === 'arrived' || held.why === 'closed'
    return { begun: false, reason: held.reason, later }
  }
  if ('reason' in held.result) return { begun: false, reason: held.result.reason, later: false }
  const { lifeline, ending } = held.result
  let over = false
  try {
    const exitCode = await ending()
    over = true
    const { missing, notes } = await fetchReturned(host, run, work, reach, signal)
    return { begun: true, exitCode, notes: [...notes, ...missingText(missing)] }
  } finally {
    lifeline.close(over)
    await left(host, hold.owner, reach, { timeoutMs: CLEAN_UP_MS, signal: new AbortController().signal })
  }
}

/** The folder there, the files in it, and a way to know that this side is still there. */
async function ready(
  host: Host,
  run: string,
  owner: string,
  { send }: Work,
  { reach, signal }: OffloadOptions,
): Promise<{ lifeline: Lifeline; prepared: Prepared } | { reason: string }> {
  try {
    const made = await prepare(host, run, send.length > 0, reach, { timeoutMs: STEP_MS, signal })
    if (send.length > 0) await sendFiles(host, run, send, made.gnuTar, reach, signal)
    return { lifeline: await Lifeline.open(host, run, reach), prepared: { host, run, owner, ...made } }
  } catch (error) {
    const patience = { timeoutMs: CLEAN_UP_MS, signal: new AbortController().signal }
    await callOn(host, 'run_forget', { ID: run }, reach, patience)
    if (error instanceof Failure && !signal.aborted)
      return { reason: error.message.replace(`${host.name}: `, '') }
    throw error
  }
}

/**
 * The first of these machines that takes it: first one where nothing has arrived lately, then one that has room for it
 * beside that.
 *
 * @returns why each did not take it, where none did
 * @throws Failure; the signal's reason
 */
export async function offloadToFirst(
  places: readonly RoomyHost[],
  work: Work,
  terminal: Terminal,
  way: Omit<OffloadOptions, 'settled'>,
): Promise<(Extract<Offloaded, { begun: true }> & { host: Host }) | { refused: string[] }> {
  const refused = new Map<string, string>()
  for (const settled of [true, false])
    for (const { host, room } of places) {
      if (!settled && !(await hasRoom(host, work.cpu, room, way))) continue
      const outcome = await offload(host, work, terminal, { ...way, settled })
      if (outcome.begun) return { ...outcome, host }
      refused.set(host.name, `${host.name}: ${outcome.reason}`)
    }
  return { refused: [...refused.values()] }
}

async function hasRoom(
  host: Host,
  cpu: number,
  room: number,
  { reach, signal }: Pick<OffloadOptions, 'reach' | 'signal'>,
): Promise<boolean> {
  try {
    return expectedCpu(await marks(host, reach, { timeoutMs: STEP_MS, signal })) + cpu <= room
  } catch (error) {
    if (error instanceof Failure && !signal.aborted) return false
    throw error
  }
}
