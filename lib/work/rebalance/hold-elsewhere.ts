import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { tell, type Said } from '../../mesh/remote/run.ts'
import { MARKS } from '../../machine/reservations/script.ts'
import { shellText } from '../../base/shell-text.ts'
import { lastLine, plain } from '../../base/text.ts'
import { ALL_MEANS } from '../../machine/throttle/all-means.ts'
import { PERIOD_US } from '../../machine/throttle/cgroup.ts'
import { keyOf, type Undo } from '../../machine/throttle/means.ts'
import type { HoldRecord } from '../../machine/throttle/record.ts'
import { waysIn, type HoldingWay } from '../../machine/throttle/ways.ts'

// Other machines need not have Node: what scum-throttle does here is done there by sh, by the means for which that is
// little, and written down as scum-throttle does, so that `just throttled` there shows it and --release undoes it.

export type Target = { pid: number; start: string; command: string; cpu?: number }
/** `gone`: the process has ended, `held`: it is held already, and nothing was touched. */
export type There = { state: 'done'; means: HoldRecord['means'] } | { state: 'gone' | 'held' }

const HELD = 5
const GONE = 6
const FUNCTIONS = shellText(import.meta.dirname, 'hold-elsewhere.sh')

/** Whether what a record of another machine says can be undone from here. */
export function releasesThere({ means }: HoldRecord): boolean {
  return ALL_MEANS[means].releasedBySh
}

/**
 * Holds a process of another machine back, with all that it has begun, by the first means that works there.
 *
 * @param boot the kernel's id of that machine's start
 * @throws Failure when none does, and nothing is changed; the signal's reason
 */
export async function holdThere(
  host: Host,
  target: Target & { boot: string },
  percent: number,
  reach: Reach,
  limits: Limits,
): Promise<There> {
  const { pid, start } = target
  const known = await call(host, 'look', { PID: String(pid), START: start }, reach, limits)
  if (known.status === GONE) return { state: 'gone' }
  if (known.status !== 0) throw new Failure(`${host.name}: ${whyNot(known)}`)
  const id = `${pid}-${Date.now().toString(36)}`
  let why = 'no means to hold it back'
  for (const { means, undo } of waysIn(known.output, id, target)) {
    const record = recordOf(id, target, means, percent, undo)
    const values = {
      ...valuesOf(record),
      QUOTA: String(Math.round((PERIOD_US * percent) / 100)),
      BOOT: target.boot,
      APPLYING: withoutEnd({ ...record, state: 'applying' }),
      HELD: withoutEnd(record),
    }
    const said = await call(host, 'hold', values, reach, limits)
    if (said.status === 0) return { state: 'done', means }
    if (said.status === GONE) return { state: 'gone' }
    if (said.status === HELD) return { state: 'held' }
    why = whyNot(said)
  }
  throw new Failure(`${host.name}: PID ${pid} can't be held: ${why}`)
}

/** Releases what a record of another machine says. @throws Failure when something stays held; the signal's reason */
export async function releaseThere(
  host: Host,
  record: HoldRecord,
  reach: Reach,
  limits: Limits,
): Promise<There> {
  const said = await call(host, 'release', valuesOf(record), reach, limits)
  if (said.status === GONE) return { state: 'gone' }
  if (said.status !== 0)
    throw new Failure(`${host.name}: PID ${record.pid} can't be released: ${whyNot(said)}`)
  return { state: 'done', means: record.means }
}

function recordOf(
  id: string,
  { pid, start, boot, command, cpu }: Target & { boot: string },
  means: HoldingWay['means'],
  percent: number,
  undo: Undo,
): Omit<HoldRecord, 'writer'> {
  return {
    id,
    pid,
    start,
    boot,
    command: plain(command, 64),
    means,
    ...(ALL_MEANS[means].limits ? { percent } : {}),
    ...(cpu === undefined ? {} : { cpu }),
    state: 'held',
    since: new Date().toISOString(),
    undo,
  }
}

/** The script adds who writes it, and the end. */
function withoutEnd(record: Omit<HoldRecord, 'writer'>): string {
  return JSON.stringify(record).slice(0, -1)
}

function valuesOf({ id, pid, start, means, undo }: Omit<HoldRecord, 'writer'>): Record<string, string> {
  const keys = Object.entries(undo).filter(([key]) => /^\d+\/\d+$/.test(key))
  return {
    ID: id,
    PID: String(pid),
    START: start,
    MEANS: means,
    GROUP: undo[''] ?? '',
    FIRST: undo[keyOf({ pid, start })] ?? '',
    UNDO: keys.map(([key, value]) => `${key} ${value.replaceAll('\n', ' ')}\n`).join(''),
  }
}

type Known = Extract<Said, { known: true }>

async function call(
  host: Host,
  what: 'look' | 'hold' | 'release',
  values: Readonly<Record<string, string>>,
  reach: Reach,
  limits: Limits,
): Promise<Known> {
  const said = await tell(host, { body: `${MARKS}${FUNCTIONS}\n${what}`, values, as: 'self' }, reach, limits)
  if (!said.known) throw new Failure(`${host.name}: ${said.reason}`)
  return said
}

function whyNot({ output, stderr, status }: Known): string {
  return lastLine(output, 160) ?? lastLine(stderr, 160) ?? `status ${status}`
}
