import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { mustTell, tell } from '../../mesh/remote/run.ts'
import { lastLine } from '../../base/text.ts'
import { parseMarks, type Marks } from '../../machine/reservations/reservations.ts'
import { MARKS } from '../../machine/reservations/script.ts'

// What a machine keeps is changed by that machine, under its own lock and by its own clock: as root where this user may
// be root there, which counts for everybody, else for this user alone.

/** Why a machine does not take a reservation. `unknown`: nobody knows whether it has taken it. */
export type Why = 'closed' | 'reserved' | 'arrived' | 'lost' | 'cannot' | 'unknown'
export type Taken = { taken: true } | { taken: false; why: Why; reason: string }

export type Reservation = {
  /** Who takes it: `[a-z0-9-]{1,64}`, another one each time. */
  owner: string
  /** 1 to 9999. */
  ttlSeconds: number
}

const WHY: Record<number, Why> = { 60: 'closed', 61: 'reserved', 62: 'arrived', 63: 'lost' }

/**
 * Reserves a machine for work that is predicted to use so many CPUs, until it is released, arrives, or expires. The
 * same owner may do it again, which begins its time anew.
 *
 * @param settled not when something has just arrived: see `ARRIVAL_REST_SECONDS`
 * @throws the signal's reason; RangeError for an owner or a number that can't be
 */
export async function reserve(
  host: Host,
  { owner, ttlSeconds, cpu, settled = false }: Reservation & { cpu: number; settled?: boolean },
  reach: Reach,
  limits: Limits,
): Promise<Taken> {
  const values = { ...named(owner), TTL: seconds(ttlSeconds), CPU: cpuText(cpu) }
  const body = `rs_reserve "$OWNER" "$TTL" "$CPU"${settled ? ' settled' : ''}`
  return await change(host, body, values, reach, limits)
}

/** More time; not `taken` when it has expired or somebody else has it. Before the step that it was made for, too. */
export async function renew(
  host: Host,
  { owner, ttlSeconds }: Reservation,
  reach: Reach,
  limits: Limits,
): Promise<Taken> {
  const values = { ...named(owner), TTL: seconds(ttlSeconds) }
  return await change(host, 'rs_renew "$OWNER" "$TTL"', values, reach, limits)
}

/** Ends a reservation of this owner, if there is one; where that can't be said, it expires. */
export async function release(host: Host, owner: string, reach: Reach, limits: Limits): Promise<Taken> {
  return await change(host, 'rs_release "$OWNER"', named(owner), reach, limits)
}

/** The work is there: it counts for every broker, and the reservation ends. Said again, it counts once. */
export async function arrived(
  host: Host,
  { owner, cpu, pid }: { owner: string; cpu: number; pid?: number },
  reach: Reach,
  limits: Limits,
): Promise<Taken> {
  const values = { ...named(owner), CPU: cpuText(cpu), PROCESS: pid?.toString() ?? '' }
  return await change(host, 'rs_arrived "$OWNER" "$CPU" "$PROCESS"', values, reach, limits)
}

/** The work has ended: it counts no more. */
export async function left(host: Host, owner: string, reach: Reach, limits: Limits): Promise<Taken> {
  return await change(host, 'rs_left "$OWNER"', named(owner), reach, limits)
}

/** What the machine keeps now. @throws Failure */
export async function marks(host: Host, reach: Reach, limits: Limits): Promise<Marks> {
  const task = { body: `${MARKS}\nrs_show`, as: 'root-if-possible' } as const
  const output = await mustTell(host, task, reach, limits, 'looking at its reservations')
  const lines = output.split('\n').map((line) => /^([a-z]+) (.*)$/.exec(line))
  try {
    const facts = new Map(lines.flatMap((match) => (match ? [[match[1] ?? '', match[2] ?? '']] : [])))
    return parseMarks(facts) ?? { arrivals: [] }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Failure(`${host.name}: what it keeps makes no sense: ${error.message}`, { cause: error })
  }
}

async function change(
  host: Host,
  call: string,
  values: Record<string, string>,
  reach: Reach,
  limits: Limits,
): Promise<Taken> {
  const task = { body: `${MARKS}\n${call}`, values, as: 'root-if-possible' } as const
  const said = await tell(host, task, reach, limits)
  if (!said.known) return { taken: false, why: 'unknown', reason: said.reason }
  if (said.status === 0) return { taken: true }
  const why = WHY[said.status] ?? 'cannot'
  return { taken: false, why, reason: reasonOf(why, lastLine(said.output, 160) ?? `status ${said.status}`) }
}

/** The line that a function of reservation.sh printed, as a person reads it. */
function reasonOf(why: Why, line: string): string {
  const [, one = '', two = ''] = line.split(' ')
  if (why === 'closed') return `it is closed: ${line.slice('closed '.length)}`
  if (why === 'reserved') return `it is reserved by ${one} for another ${two} s`
  if (why === 'arrived') return `something arrived there ${one} s ago, which its load does not show yet`
  if (why === 'lost') return 'the reservation has expired'
  return line
}

function named(owner: string): { OWNER: string } {
  if (!/^[a-z0-9-]{1,64}$/.test(owner)) throw new RangeError(`${owner} can't own a reservation`)
  return { OWNER: owner }
}

function seconds(value: number): string {
  if (!Number.isSafeInteger(value) || value < 1 || value > 9999)
    throw new RangeError(`a reservation lasts 1 to 9999 s, not ${value}`)
  return String(value)
}

/** With two digits after the point: more than can be predicted. */
function cpuText(value: number): string {
  if (!(value >= 0 && value <= 99_999)) throw new RangeError(`${value} is not a number of CPUs`)
  return value.toFixed(2)
}
