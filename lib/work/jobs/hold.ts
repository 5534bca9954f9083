import type { Host, Reach } from '../../mesh/remote/host.ts'
import { RENEW_RESERVATION_MS, RESERVATION_SECONDS } from '../../model/policy.ts'
import { release, renew, reserve, type Taken } from '../admission/reserve.ts'

export type Hold = { owner: string; cpu: number; settled: boolean }

const STEP_MS = 30_000

/**
 * Does something while a machine is reserved for it, which is renewed meanwhile, and released at the end, unless the work
 * says that it has arrived, which ends the reservation too.
 *
 * @returns why it was not reserved, and nothing was done
 * @throws what the work throws
 */
export async function holding<T>(
  host: Host,
  hold: Hold,
  reach: Reach,
  signal: AbortSignal,
  work: (hasArrived: () => void) => Promise<T>,
): Promise<{ taken: true; result: T } | Extract<Taken, { taken: false }>> {
  const limits = { timeoutMs: STEP_MS, signal }
  const reservation = { owner: hold.owner, ttlSeconds: RESERVATION_SECONDS }
  const { cpu, settled } = hold
  const taken = await reserve(host, { ...reservation, cpu, settled }, reach, limits)
  // Where nobody knows whether it was reserved, it will expire.
  if (!taken.taken) return taken
  let arrived = false
  const timer = setInterval(() => {
    // Where it could not be renewed nothing has to be done here: the step that needs the reservation finds it gone.
    renew(host, reservation, reach, limits).catch(() => {})
  }, RENEW_RESERVATION_MS)
  try {
    const hasArrived = () => {
      arrived = true
    }
    return { taken: true, result: await work(hasArrived) }
  } finally {
    clearInterval(timer)
    const patience = { timeoutMs: 2000, signal: new AbortController().signal }
    if (!arrived) await release(host, hold.owner, reach, patience)
  }
}
