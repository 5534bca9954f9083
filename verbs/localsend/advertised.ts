import type { Receiver } from '../../lib/share/localsend/receiver/receiver.ts'
import type { Doorkeeper } from './doorkeeper.ts'
import type { AdvertiseResult } from './schemas.ts'
import { sessions, type Session } from './sessions.ts'
import { USUAL_GAP_TARGET } from './tuning.ts'

/** What this process has made known of itself: a receiver that runs, and who decides what it takes. */
export type Advertised = {
  /** What was asked for, to know it when it is asked for again. */
  input: string
  receiver: Receiver
  doorkeeper: Doorkeeper
  session: Session
  gapTarget: number
  result: AdvertiseResult
}

let current: Advertised | undefined
let turn: Promise<unknown> = Promise.resolve()

export function advertised(): Advertised | undefined {
  return current
}

export function gapTarget(): number {
  return current?.gapTarget ?? USUAL_GAP_TARGET
}

export function setAdvertised(next: Advertised): void {
  current = next
}

/** One after the other: two that change what is advertised would each leave a receiver behind. */
export async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work)
  turn = mine.catch(() => undefined)
  return await mine
}

/** Ends the receiver; a transfer that comes in ends with it. */
export async function withdraw(): Promise<void> {
  const ending = current
  current = undefined
  if (ending === undefined) return
  await ending.receiver.close()
  await sessions.close(ending.session)
}

/** Ends everything that these tools have begun. */
export async function closeAll(): Promise<void> {
  await Promise.all([inTurn(withdraw), sessions.closeAll()])
}
