import { readFrame } from '../base/frame.ts'
import { parseStats } from '../base/proc-stat.ts'
import { lastLine, plain } from '../base/text.ts'
import { parseMarks, type Marks } from './reservations/reservations.ts'
import { osNamed } from './os-name.ts'
import { familyOf, type Family } from './process-tree.ts'
import type { Measurement } from './measurement.ts'
import type { Process } from '../model/process.ts'
import { countsOf, shares, sharesSince, userNames, type Counts, type Snapshot } from './processes.ts'
import { parsePs } from './ps.ts'

/** What a machine printed is not an answer to the probe: cut short, garbled, or by a system that it does not know. */
export class BadAnswer extends Error {
  override name = 'BadAnswer'
}

export type Answer = {
  measurement: Measurement
  processes?: Process[]
  /** Only the asking user's processes could be seen there: a mount of /proc with hidepid. */
  onlyOwnProcesses?: true
  family?: Family
}

/**
 * A window that is shorter says nothing: the kernel counts in ticks of 10 ms. And where sleep(1) did not wait, what passed
 * is as long as the machine happened to be busy, which is no window that anybody asked for.
 */
const LEAST_WINDOW_SECONDS = 0.05
const LEAST_PART_OF_WINDOW = 0.5

const NUMBER = String.raw`(\d{1,9}(?:\.\d{1,9})?)`
// Linux prints `0.12 0.30 0.11 1/234 567`, the BSDs `{ 0.12 0.30 0.11 }`.
const LOAD = new RegExp(String.raw`^\{? ?${NUMBER} ${NUMBER} ${NUMBER}(?: |$)`)
const PRESSURE = new RegExp(`^some avg10=${NUMBER} avg60=${NUMBER} `)

/**
 * What the probe with this nonce learnt, from all that came back on standard output.
 *
 * @throws BadAnswer when there is no whole answer or a value in it is not what the kernel of that system prints
 */
export function parseAnswer(output: string, nonce: string): Answer {
  const { facts, sections } = partsOf(output, nonce)
  const measurement = parseMeasurement(facts)
  if (sections.length === 0) return { measurement }
  const named = namedIn(sections)
  const usage = named('ps')
  if (usage !== undefined) return { measurement, processes: parsePs(usage, named('details') ?? '') }
  const [before, after] = sections.filter(({ title }) => title.startsWith('sample '))
  if (!before || !after) throw new BadAnswer('not two samples of the processes')
  const owners = named('owners') ?? ''
  const userOf = userNames(owners, named('users') ?? '')
  const [first, last] = [snapshot(before), snapshot(after)]
  const passedSeconds = last.uptimeSeconds - first.uptimeSeconds
  const { windowSeconds } = machine(facts)
  if (passedSeconds < Math.max(LEAST_WINDOW_SECONDS, windowSeconds * LEAST_PART_OF_WINDOW))
    throw new BadAnswer('no time passed between two looks at the processes: sleep(1) does not wait there')
  const processes = shares(first, last, machine(facts), userOf)
  const seen = onlyOwnIn(after.body)
  const held = sections.find(({ title }) => title.startsWith('family '))
  if (!held) return { measurement, processes, ...seen }
  const boot = held.title.slice('family '.length)
  const { probePid } = machine(facts)
  return {
    measurement,
    processes,
    ...seen,
    family: familyOf({ stats: after.body, owners, probePid, boot, held: held.body }),
  }
}

/** What one round of `probeRounds` has told, and the sample that the next one's is compared with. */
export type Round = { answer: Answer; sample?: Counts }

/**
 * The same of a round.
 *
 * @param earlier the sample of a round before; without it, or where the machine was started again since, the processes are
 * told in the next round
 * @throws BadAnswer
 */
export function parseRound(output: string, nonce: string, earlier?: Counts): Round {
  const { facts, sections } = partsOf(output, nonce)
  const sample = sections.find(({ title }) => title.startsWith('sample '))
  if (!sample) return { answer: parseAnswer(output, nonce) }
  const measurement = parseMeasurement(facts)
  const { uptimeSeconds } = snapshot(sample)
  const stats = parseStats(sample.body)
  const counts = countsOf(uptimeSeconds, stats)
  if (!earlier || uptimeSeconds - earlier.uptimeSeconds < LEAST_WINDOW_SECONDS)
    return { answer: { measurement }, sample: counts }
  const named = namedIn(sections)
  const userOf = userNames(named('owners') ?? '', named('users') ?? '')
  const processes = sharesSince(earlier, uptimeSeconds, stats, machine(facts), userOf)
  return { answer: { measurement, processes, ...onlyOwnIn(sample.body) }, sample: counts }
}

function partsOf(output: string, nonce: string): { facts: Map<string, string>; sections: Section[] } {
  const [head = '', ...texts] = framed(output, nonce).split(`\n${nonce} `)
  return { facts: parseFacts(head), sections: texts.map((text) => section(text)) }
}

/** Everybody has a first process, and who can't see it does not see other users' either. */
function onlyOwnIn(stats: string): { onlyOwnProcesses?: true } {
  return /^\/proc\/1\/stat:/m.test(stats) ? {} : { onlyOwnProcesses: true }
}

const namedIn = (sections: readonly Section[]) => (name: string) =>
  sections.find(({ title }) => title === name)?.body

type Section = { title: string; body: string }

/** What stands behind a nonce: a title, and the lines up to the next nonce. */
function section(text: string): Section {
  const end = text.indexOf('\n')
  return end === -1 ? { title: text, body: '' } : { title: text.slice(0, end), body: text.slice(end + 1) }
}

/** The lines between `NONCE begin` and `NONCE end`. */
function framed(output: string, nonce: string): string {
  const frame = readFrame(output, nonce)
  if (frame.state === 'absent') throw new BadAnswer(`no answer to the probe${said(output)}`)
  if (frame.state === 'cut short') throw new BadAnswer('the answer to the probe is cut short')
  return frame.body
}

function said(output: string): string {
  const line = lastLine(output, 80)
  return line === undefined ? '' : `, instead: ${line}`
}

function parseFacts(head: string): Map<string, string> {
  const facts = new Map<string, string>()
  for (const line of head.split('\n').filter((text) => text !== '')) {
    const blank = line.indexOf(' ')
    const key = blank === -1 ? line : line.slice(0, blank)
    if (facts.has(key)) throw new BadAnswer(`the answer to the probe says ${plain(key, 20)} twice`)
    facts.set(key, blank === -1 ? '' : line.slice(blank + 1))
  }
  return facts
}

function parseMeasurement(facts: Map<string, string>): Measurement {
  const os = facts.get('os') ?? ''
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(os)) throw new BadAnswer('no name of an operating system')
  const cpus = cpusOf(facts)
  const load = LOAD.exec(facts.get('load') ?? '')
  if (load === null && os === 'Linux' && !facts.has('load')) throw new BadAnswer('there is no /proc/loadavg')
  if (load === null)
    throw new BadAnswer(`no load average: ${plain(facts.get('load') ?? '', 40) || 'nothing'}`)
  const [load1 = Number.NaN, load5 = Number.NaN, load15 = Number.NaN] = load.slice(1).map(Number)
  const measurement: Measurement = { os: osNamed(os), load1, load5, load15, cpus }
  const uptimeSeconds = parseUptime(facts)
  if (uptimeSeconds !== undefined) measurement.uptimeSeconds = uptimeSeconds
  const pressure = PRESSURE.exec(facts.get('pressure') ?? '')
  if (pressure) measurement.pressure = { some10: Number(pressure[1]), some60: Number(pressure[2]) }
  if (facts.has('available')) measurement.availableBytes = kibibytes(facts, 'available')
  const usableCpus = Number(/^[1-9]\d{0,5}$/.exec(facts.get('cpus') ?? '')?.[0] ?? cpus)
  if (usableCpus < cpus) measurement.usableCpus = usableCpus
  const quotaCpus = Number(/^[1-9]\d{0,8}$/.exec(facts.get('quota') ?? '')?.[0] ?? Number.NaN) / 1000
  if (quotaCpus < cpus) measurement.quotaCpus = quotaCpus
  const receiver = marks(facts)
  if (receiver) measurement.receiver = receiver
  return measurement
}

/**
 * The CPUs that the load average is of: those of the machine that are online, a list such as `0-3,8`; where the kernel
 * shows none, the processors of /proc/cpuinfo, and elsewhere the number that the system tells.
 */
function cpusOf(facts: Map<string, string>): number {
  const online = facts.get('online') ?? ''
  if (/^\d{1,6}(?:-\d{1,6})?(?:,\d{1,6}(?:-\d{1,6})?)*$/.test(online)) {
    const counts = online.split(',').map((range) => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return last - first + 1
    })
    const cpus = counts.reduce((sum, count) => sum + count, 0)
    if (counts.every((count) => count > 0) && cpus <= 999_999) return cpus
  }
  const processors = /^[1-9]\d{0,5}$/.exec(facts.get('processors') ?? '')?.[0]
  return processors === undefined ? number(facts, 'cpus', /^([1-9]\d{0,5})$/) : Number(processors)
}

function marks(facts: Map<string, string>): Marks | undefined {
  try {
    return parseMarks(facts)
  } catch (error) {
    if (error instanceof RangeError) throw new BadAnswer(error.message, { cause: error })
    throw error
  }
}

/** Seconds since the machine was started; a machine that does not tell has none, which spoils nothing else. */
function parseUptime(facts: Map<string, string>): number | undefined {
  const uptime = new RegExp(`^${NUMBER}(?: |$)`).exec(facts.get('uptime') ?? '')
  if (uptime) return Number(uptime[1])
  const booted = /^\{ sec = (\d{1,12}),/.exec(facts.get('boottime') ?? '')
  const now = /^(\d{1,12})$/.exec(facts.get('now') ?? '')
  if (!booted || !now) return undefined
  return Math.max(0, Number(now[1]) - Number(booted[1]))
}

function machine(facts: Map<string, string>) {
  return {
    memoryBytes: kibibytes(facts, 'memory'),
    pageBytes: number(facts, 'page', /^(\d{1,9})$/),
    ticksPerSecond: number(facts, 'ticks', /^([1-9]\d{0,5})$/),
    probePid: number(facts, 'self', /^(\d{1,10})$/),
    windowSeconds: number(facts, 'window', new RegExp(`^${NUMBER}$`)),
  }
}

/** One sample: the line of `/proc/uptime` in its title, and the lines of every `/proc/PID/stat`. */
function snapshot({ title, body }: Section): Snapshot {
  const uptime = new RegExp(`^sample ${NUMBER}(?: |$)`).exec(title)
  if (uptime === null) throw new BadAnswer('a sample of the processes without its time')
  return { uptimeSeconds: Number(uptime[1]), stats: body }
}

/** As `/proc/meminfo` writes it, with `kB` for 1024 bytes. */
function kibibytes(facts: Map<string, string>, key: string): number {
  return number(facts, key, /^(\d{1,12}) kB$/) * 1024
}

function number(facts: Map<string, string>, key: string, form: RegExp): number {
  const text = facts.get(key) ?? ''
  const match = form.exec(text)
  if (match === null) throw new BadAnswer(`not a number of ${key}: ${plain(text, 40) || 'nothing'}`)
  return Number(match[1])
}
