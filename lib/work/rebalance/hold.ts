import { randomBytes } from 'node:crypto'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import type { PlanAction } from '../../model/plan/snapshot.ts'
import { RESERVATION_SECONDS, THROTTLED_PERCENT } from '../../model/policy.ts'
import { arrived, release as releaseReservation, reserve } from '../admission/reserve.ts'
import { holdThere, releaseThere } from './hold-elsewhere.ts'
import type { HoldRecord } from '../../machine/throttle/record.ts'
import { hold, release, throttleMeans, titleOf } from '../../machine/throttle/throttle.ts'
import type { Went } from './carry-out.ts'
import type { Unit } from './units.ts'

type Kind<K extends PlanAction['kind']> = Extract<PlanAction, { kind: K }>
type Place = { host: Host; boot: string; held: readonly HoldRecord[]; node: { processes: readonly Unit[] } }

const STEP_MS = 30_000
const GONE: Went = { outcome: 'skipped', detail: 'it has ended' }
const HELD: Went = { outcome: 'skipped', detail: 'it is held already' }

/** Holds a process back, as scum-throttle does. @throws Refused, Failure; the signal's reason */
export async function throttle(
  { pid, cpu, node }: Kind<'throttle'>,
  { host, boot, node: { processes } }: Place,
  reach: Reach,
  signal: AbortSignal,
): Promise<Went> {
  if (!host.ssh) {
    const { record } = await hold(pid, throttleMeans(), THROTTLED_PERCENT, { force: false, signal, cpu })
    return { outcome: 'done', detail: `held by ${titleOf(record.means)}` }
  }
  const unit = processes.find((each) => each.pid === pid)
  if (!unit) throw new RangeError(`PID ${pid} is not on ${node}`)
  const there = await holdThere(host, { ...unit, boot, cpu }, THROTTLED_PERCENT, reach, {
    timeoutMs: STEP_MS,
    signal,
  })
  if (there.state !== 'done') return there.state === 'gone' ? GONE : HELD
  return { outcome: 'done', detail: `held by ${titleOf(there.means)}` }
}

/**
 * Releases what is held back on a machine. Like work that is sent there, it is reserved and remembered: what it uses is
 * not in the load average yet. What has closed a machine to others' work does not keep its own from going on.
 *
 * @throws Refused, Failure; the signal's reason
 */
export async function wake(
  { pid, cpu, node }: Kind<'wake'>,
  { host, held }: Place,
  reach: Reach,
  signal: AbortSignal,
): Promise<Went> {
  const record = held.find((each) => each.pid === pid)
  if (!record) throw new RangeError(`PID ${pid} is not held on ${node}`)
  const owner = `wake-${randomBytes(6).toString('hex')}`
  const limits = { timeoutMs: STEP_MS, signal }
  const taken = await reserve(
    host,
    { owner, ttlSeconds: RESERVATION_SECONDS, cpu, settled: true },
    reach,
    limits,
  )
  if (!taken.taken && taken.why !== 'closed' && taken.why !== 'cannot')
    return { outcome: 'skipped', detail: `${node}: ${taken.reason}` }
  try {
    const released = host.ssh
      ? (await releaseThere(host, record, reach, limits)).state === 'done'
      : (await release(pid)).some(({ outcome }) => outcome === 'released')
    if (!released) return GONE
    await arrived(host, { owner, cpu, pid }, reach, limits)
    return { outcome: 'done', detail: 'it goes on' }
  } finally {
    await releaseReservation(host, owner, reach, { timeoutMs: 2000, signal: new AbortController().signal })
  }
}
