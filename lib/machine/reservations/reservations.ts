import { unseen } from '../../model/load-average.ts'
import { ARRIVAL_REST_SECONDS } from '../../model/policy.ts'
import { plain } from '../../base/text.ts'

/** What a machine keeps about the work that is sent to it. */
export type Marks = {
  /** Why its owner has closed it to arrivals; absent while it is open. */
  closed?: string
  /** Who has it for themselves, for how much longer, and for how many CPUs of work. */
  reserved?: { owner: string; secondsLeft: number; cpu: number }
  /** What came within `CHANGES_KEPT_SECONDS`, moved, started or woken: its load average does not show all of it yet. */
  arrivals: Change[]
  /** What was moved away in that time, from the moment it was stopped: its load average still shows some of it. */
  departures?: Change[]
}
/** CPUs of work that came or went; of a process that was moved or woken, its PID. */
export type Change = { secondsAgo: number; cpu: number; pid?: number }

const CPU = String.raw`(\d{1,9}(?:\.\d{1,7})?)`
const RESERVED = new RegExp(`^([a-z0-9-]{1,64}) (\\d{1,9}) ${CPU}$`)
const CHANGE = new RegExp(`^(\\d{1,3}):${CPU}(?::([1-9]\\d{0,6}))?$`)
const MOST_CHANGES = 1000

/**
 * The marks in the lines of `rs_show`, by their first word.
 *
 * @returns undefined when there are none
 * @throws RangeError that names the line that is none of its lines
 */
export function parseMarks(lines: ReadonlyMap<string, string>): Marks | undefined {
  const keys = ['closed', 'reserved', 'arrivals', 'departures']
  const [closed, reserved, arrivals, departures] = keys.map((key) => lines.get(key))
  if ([closed, reserved, arrivals, departures].every((text) => text === undefined)) return undefined
  const marks: Marks = { arrivals: arrivals === undefined ? [] : parseChanges(arrivals) }
  if (departures !== undefined) marks.departures = parseChanges(departures)
  if (closed !== undefined) marks.closed = plain(closed)
  if (reserved !== undefined) {
    const match = RESERVED.exec(reserved)
    if (match === null) throw new RangeError(`not a reservation: ${plain(reserved, 40)}`)
    marks.reserved = { owner: match[1] ?? '', secondsLeft: Number(match[2]), cpu: Number(match[3]) }
  }
  return marks
}

function parseChanges(text: string): Change[] {
  const words = text.split(' ')
  if (words.length > MOST_CHANGES) throw new RangeError('more came or went than there can be')
  return words.map((word) => {
    const match = CHANGE.exec(word)
    if (match === null) throw new RangeError(`neither an arrival nor a departure: ${plain(word, 40)}`)
    const change = { secondsAgo: Number(match[1]), cpu: Number(match[2]) }
    return match[3] === undefined ? change : { ...change, pid: Number(match[3]) }
  })
}

/** How many CPUs of work are on their way to a machine, or have come, beside what its load average shows of them. */
export function expectedCpu({ reserved, arrivals }: Marks): number {
  return arrivals.reduce(
    (sum, { cpu, secondsAgo }) => sum + cpu * unseen(secondsAgo * 1000),
    reserved?.cpu ?? 0,
  )
}

/** Whether something came so lately that the machine takes nothing else yet. */
export function hasJustArrived({ arrivals }: Marks): boolean {
  return arrivals.some(({ secondsAgo }) => secondsAgo <= ARRIVAL_REST_SECONDS)
}
