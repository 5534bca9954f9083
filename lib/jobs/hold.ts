import type { Host, Reach } from '../host/host.ts'
import { release, renew, reserve, type Taken } from '../receiver/receiver.ts'

export type Hold = { owner: string; cpu: number; settled: boolean }

const TTL_SECONDS = 60
const RENEW_MS = 20_000
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
  const reservation = { owner: hold.owner, ttlSeconds: TTL_SECONDS }
  const { cpu, settled } = hold
  const taken = await reserve(host, { ...reservation, cpu, settled }, reach, limits)
  // Where nobody knows whether it was reserved, it will expire.
  if (!taken.taken) return taken
  let arrived = false
  const timer = setInterval(() => {
    // One that is lost is noticed by the step that it was made for.
    renew(host, reservation, reach, limits).catch(() => {})
  }, RENEW_MS)
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
