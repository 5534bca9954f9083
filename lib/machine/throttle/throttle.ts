import { Failure, Refused } from '../../base/errors.ts'
import {
  bootId,
  isThere,
  lineOf,
  liveProcess,
  liveProcesses,
  thisSession,
  treeOf,
  whyAbsent,
  type LiveProcess,
} from '../live-processes.ts'
import { guard } from '../guard.ts'
import { messageOf, plain } from '../../base/text.ts'
import { ALL_MEANS, MEANS_NAMES, type MeansName } from './all-means.ts'
import type { Target } from './means.ts'
import { readRecords, removeRecord, saveRecord, type HoldRecord } from './record.ts'

export type Held = {
  record: HoldRecord
  /** How many processes are held: it and its descendants. */
  processes: number
  /** Better means that the machine does not have, and why. */
  passedOver: { means: MeansName; why: string }[]
}

export type HoldOptions = {
  /** Another user's process too. */
  force: boolean
  /** When it is aborted, what was begun is undone. */
  signal: AbortSignal
  /** CPUs that the process would use, where that is known. */
  cpu?: number
}

/** The means in words. */
export function titleOf(means: MeansName): string {
  return ALL_MEANS[means].title
}

/** The means that a throttle tries, the best first. */
export function throttleMeans(platform: NodeJS.Platform = process.platform): MeansName[] {
  return MEANS_NAMES.filter((name) => {
    const { onlyWhenAsked, linuxOnly } = ALL_MEANS[name]
    return !onlyWhenAsked && (platform === 'linux' || !linuxOnly)
  })
}

/**
 * Holds a process and its children back by the first of the means that works, and records how.
 *
 * @param percent of one CPU, for all of them together; nothing to a means that has no limit
 * @throws Refused when the process is not there, may not be touched, or is held already
 * @throws Failure when no means works; then nothing is changed
 */
export async function hold(
  pid: number,
  means: MeansName[],
  percent: number,
  options: HoldOptions,
): Promise<Held> {
  const all = await liveProcesses()
  const root = all.get(pid)
  if (!root) throw new Refused(await whyAbsent(pid, all))
  const tree = treeOf(all, root)
  const session = await thisSession(all)
  for (const member of tree) {
    const reason = guard(member, session, options.force)
    if (reason !== undefined) throw new Refused(reason)
  }
  const boot = await bootId()
  // Of two records that hold a process, each would leave it held by the other when it is released.
  const family = [...tree, ...[...lineOf(all, pid)].flatMap((above) => all.get(above) ?? [])]
  for (const record of await readRecords())
    if (record.boot === boot && family.some((member) => isSame(record, member)))
      throw new Refused(
        `PID ${record.pid} (${record.command}) is held already, by ${titleOf(record.means)}: release it first`,
      )
  const passedOver: Held['passedOver'] = []
  for (const name of means) {
    const target: Target = { id: `${pid}-${Date.now().toString(36)}`, tree, percent }
    const why = await ALL_MEANS[name].missing(target)
    options.signal.throwIfAborted()
    const outcome = why === undefined ? await attempt(name, target, boot, options) : why
    if (typeof outcome !== 'string') return { record: outcome, processes: tree.length, passedOver }
    passedOver.push({ means: name, why: outcome })
  }
  throw new Failure(`PID ${pid} can't be held: ${passedOver.map(({ why }) => why).join('; ')}`)
}

/** The record when it is held, or why it is not: then what was begun is undone. */
async function attempt(
  name: MeansName,
  target: Target,
  boot: string,
  { signal: aborted, cpu }: HoldOptions,
): Promise<HoldRecord | string> {
  const [root] = target.tree
  const writer = await liveProcess(process.pid)
  if (!root || !writer) return 'it is gone'
  const record: HoldRecord = {
    id: target.id,
    pid: root.pid,
    start: root.start,
    boot,
    command: plain(root.command, 64),
    means: name,
    ...(ALL_MEANS[name].limits ? { percent: target.percent } : {}),
    ...(cpu === undefined ? {} : { cpu }),
    state: 'applying',
    writer: { pid: writer.pid, start: writer.start },
    since: new Date().toISOString(),
    undo: await ALL_MEANS[name].plan(target),
  }
  await saveRecord(record)
  try {
    let { undo: needed } = record
    await ALL_MEANS[name].apply(target, needed, async (more) => {
      needed = more
      await saveRecord({ ...record, undo: needed })
    })
    aborted.throwIfAborted()
    const held: HoldRecord = { ...record, undo: needed, state: 'held' }
    await saveRecord(held)
    return held
  } catch (error) {
    const saved = (await readRecords()).find(({ id }) => id === record.id)
    await undo(saved ?? record)
    aborted.throwIfAborted()
    return messageOf(error)
  }
}

export type Released = { record: HoldRecord; outcome: 'released' | 'gone' | 'another process' }

/**
 * Releases what is recorded of a PID. A process that is gone, and one that only has the PID of the recorded one, is
 * not touched; its record is dropped, and the outcome says so.
 *
 * @throws Refused when nothing is recorded of it
 */
export async function release(pid: number): Promise<Released[]> {
  const records = (await readRecords()).filter((record) => record.pid === pid)
  if (records.length === 0)
    throw new Refused(`PID ${pid} is not held by this program: \`just throttled\` lists what is`)
  const released: Released[] = []
  for (const record of records) {
    const known = await stateOf(record)
    await undo(record)
    const outcome = known === 'there' ? 'released' : known === 'gone' ? 'gone' : 'another process'
    released.push({ record, outcome })
  }
  return released
}

export type Repaired = { record: HoldRecord; why: string; failed?: string }

/**
 * Undoes what a run that was killed has left half done, continues what a limiter that was killed has left stopped,
 * and drops the records of processes that are gone. Every recipe that holds processes begins with it.
 */
export async function repair(): Promise<Repaired[]> {
  const repaired: Repaired[] = []
  for (const record of await readRecords()) {
    const why = await wrongWith(record)
    if (why === undefined) continue
    const failed = await undo(record).then(
      () => undefined,
      (error: unknown) => messageOf(error),
    )
    repaired.push({ record, why, ...(failed === undefined ? {} : { failed }) })
  }
  return repaired
}

async function wrongWith(record: HoldRecord): Promise<string | undefined> {
  if ((await stateOf(record)) !== 'there') return 'it has ended'
  if (record.state === 'applying')
    return (await isThere(record.writer))
      ? undefined
      : 'the run that began to hold it was ended in the middle'
  const works = await ALL_MEANS[record.means].works?.(record.id)
  return works === false ? 'what held it was ended' : undefined
}

async function undo(record: HoldRecord): Promise<void> {
  const all = await liveProcesses()
  const root = all.get(record.pid)
  const sameBoot = record.boot === (await bootId())
  const tree = root && sameBoot && isSame(record, root) ? treeOf(all, root) : []
  await ALL_MEANS[record.means].undo(tree, sameBoot ? record.undo : {}, record.id)
  await removeRecord(record)
}

/** What a recorded process has become. */
async function stateOf(record: HoldRecord): Promise<'there' | 'gone' | 'another'> {
  const now = await liveProcess(record.pid)
  if (!now) return 'gone'
  return record.boot === (await bootId()) && isSame(record, now) ? 'there' : 'another'
}

function isSame(record: HoldRecord, live: LiveProcess): boolean {
  return record.pid === live.pid && record.start === live.start
}
