import { SCUM_CPU_PERCENT } from '../scum.ts'

/** One process and what it used. CPU is in percent of one CPU and may exceed 100; memory of the machine's. */
export type Process = {
  pid: number
  /** The kernel's name of the command (15 bytes on Linux), as it is: not yet safe to print. */
  command: string
  cpuPercent: number
  memPercent: number
}

/** All processes at one instant. */
export type Snapshot = {
  /** Seconds since the machine was started; unlike the clock, nobody sets it. */
  uptimeSeconds: number
  /** The lines of `/proc/PID/stat`, each with its path and a colon in front. */
  stats: string
}

export type Machine = {
  memoryBytes: number
  pageBytes: number
  /** Unit of utime and stime, `getconf CLK_TCK`. */
  ticksPerSecond: number
  /** The shell that took the samples: it and its children are not counted. */
  probePid: number
}

/** The processes that the monitor counts, the busiest first. */
export function scumProcesses(processes: readonly Process[]): Process[] {
  return processes
    .filter(({ cpuPercent }) => cpuPercent > SCUM_CPU_PERCENT)
    .toSorted((a, b) => b.cpuPercent - a.cpuPercent || a.pid - b.pid)
}

/**
 * What each process that is there at the end used between two samples of utime + stime.
 * One that began in between, or whose PID was another process's before, counts from zero.
 */
export function shares(before: Snapshot, after: Snapshot, machine: Machine): Process[] {
  const seconds = after.uptimeSeconds - before.uptimeSeconds
  if (!(seconds > 0)) return []
  const earlier = new Map(parseStats(before.stats).map((stat) => [stat.pid, stat]))
  return parseStats(after.stats)
    .filter(({ pid, parent }) => pid !== machine.probePid && parent !== machine.probePid)
    .map(({ pid, command, startTicks, cpuTicks, rssPages }) => {
      const first = earlier.get(pid)
      const used = cpuTicks - (first?.startTicks === startTicks ? first.cpuTicks : 0)
      return {
        pid,
        command,
        cpuPercent: (100 * Math.max(0, used)) / machine.ticksPerSecond / seconds,
        memPercent: machine.memoryBytes > 0 ? (100 * rssPages * machine.pageBytes) / machine.memoryBytes : 0,
      }
    })
}

type Stat = {
  pid: number
  parent: number
  command: string
  startTicks: number
  cpuTicks: number
  rssPages: number
}

/** Lines `/proc/PID/stat:…`; consecutive ones of one PID are one process whose name holds newlines. */
function parseStats(text: string): Stat[] {
  const entries: { pid: number; stat: string }[] = []
  for (const line of text.split('\n')) {
    const match = /^\/proc\/(\d{1,10})\/stat:/.exec(line)
    if (match === null) continue
    const pid = Number(match[1])
    const rest = line.slice(match[0].length)
    const last = entries.at(-1)
    if (last?.pid === pid) last.stat += `\n${rest}`
    else entries.push({ pid, stat: rest })
  }
  return entries.flatMap(({ pid, stat }) => parseStat(pid, stat) ?? [])
}

/**
 * `PID (command) state ppid …`, the fields as proc(5) numbers them. The command may hold blanks, parentheses
 * and newlines: it ends at the last `)`.
 */
function parseStat(pid: number, stat: string): Stat | undefined {
  const open = stat.indexOf('(')
  const close = stat.lastIndexOf(')')
  if (open === -1 || close < open) return undefined
  const fields = stat.slice(close + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  const numbers = {
    parent: field(4),
    startTicks: field(22),
    cpuTicks: field(14) + field(15),
    rssPages: field(24),
  }
  if (!Object.values(numbers).every((value) => Number.isFinite(value))) return undefined
  return { pid, command: stat.slice(open + 1, close), ...numbers }
}

/** Lines of `ps axo pid,%cpu,%mem,comm` on macOS and the BSDs, where its share of CPU decays within seconds. */
export function ps(text: string): Process[] {
  return text.split('\n').flatMap((line) => {
    const match = /^ *(\d{1,10}) +(\d{1,7}(?:\.\d+)?) +(\d{1,3}(?:\.\d+)?) +(.+)$/.exec(line)
    if (match === null) return []
    const [, pid, cpuPercent, memPercent, command = ''] = match
    return [{ pid: Number(pid), command, cpuPercent: Number(cpuPercent), memPercent: Number(memPercent) }]
  })
}
