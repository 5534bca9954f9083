import { plain } from '../text.ts'

/** What a machine keeps about the work that is sent to it. */
export type Marks = {
  /** Why its owner has closed it to arrivals; absent while it is open. */
  closed?: string
  /** Who has it for themselves, for how much longer, and for how many CPUs of work. */
  reserved?: { owner: string; secondsLeft: number; cpu: number }
  /** What has arrived within the last 90 s: its load average does not show it yet. */
  arrivals: Arrival[]
}
export type Arrival = { secondsAgo: number; cpu: number }

const CPU = String.raw`(\d{1,9}(?:\.\d{1,7})?)`
const RESERVED = new RegExp(`^([a-z0-9-]{1,64}) (\\d{1,9}) ${CPU}$`)
const ARRIVAL = new RegExp(`^(\\d{1,2}):${CPU}$`)
const MOST_ARRIVALS = 1000

/**
 * The marks in the lines of `rs_show`, by their first word.
 *
 * @returns undefined when there are none
 * @throws RangeError that names the line that is none of its lines
 */
export function parseMarks(lines: ReadonlyMap<string, string>): Marks | undefined {
  const [closed, reserved, arrivals] = ['closed', 'reserved', 'arrivals'].map((key) => lines.get(key))
  if (closed === undefined && reserved === undefined && arrivals === undefined) return undefined
  const marks: Marks = { arrivals: arrivals === undefined ? [] : parseArrivals(arrivals) }
  if (closed !== undefined) marks.closed = plain(closed)
  if (reserved !== undefined) {
    const match = RESERVED.exec(reserved)
    if (match === null) throw new RangeError(`not a reservation: ${plain(reserved, 40)}`)
    marks.reserved = { owner: match[1] ?? '', secondsLeft: Number(match[2]), cpu: Number(match[3]) }
  }
  return marks
}

function parseArrivals(text: string): Arrival[] {
  const words = text.split(' ')
  if (words.length > MOST_ARRIVALS) throw new RangeError('more arrivals than there can be')
  return words.map((word) => {
    const match = ARRIVAL.exec(word)
    if (match === null) throw new RangeError(`not an arrival: ${plain(word, 40)}`)
    return { secondsAgo: Number(match[1]), cpu: Number(match[2]) }
  })
}

/** How many CPUs of work are on their way to a machine or have just arrived, beside what its load average shows. */
export function expectedCpu({ reserved, arrivals }: Marks): number {
  return arrivals.reduce((sum, { cpu }) => sum + cpu, reserved?.cpu ?? 0)
}
