import { SCUM_CPU_PERCENT } from '../model/policy.ts'
import type { Process } from '../model/process.ts'
import { parseStats, type Stat } from '../base/proc-stat.ts'

/** What a person is told where others' processes are hidden. */
export const ONLY_OWN =
  'only your own processes can be seen: /proc is mounted with hidepid (ask as root, or as a member of its gid)'

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
  /** Unit of utime, stime and the start, `getconf CLK_TCK`. */
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

/** What of a sample a later one is compared with: of each process its PID, its start and utime + stime, in ticks. */
export type Counts = { uptimeSeconds: number; numbers: Float64Array }

export function countsOf(uptimeSeconds: number, stats: readonly Stat[]): Counts {
  const numbers = new Float64Array(3 * stats.length)
  stats.forEach(({ pid, startTicks, cpuTicks }, index) => numbers.set([pid, startTicks, cpuTicks], 3 * index))
  return { uptimeSeconds, numbers }
}

/**
 * What each process that is there at the end used between two samples of utime + stime.
 * One that began in between, or whose PID was another process's before, counts from zero.
 *
 * @param userOf names the user of a PID
 */
export function shares(
  before: Snapshot,
  after: Snapshot,
  machine: Machine,
  userOf: (pid: number) => string,
): Process[] {
  const earlier = countsOf(before.uptimeSeconds, parseStats(before.stats))
  return sharesSince(earlier, after.uptimeSeconds, parseStats(after.stats), machine, userOf)
}

/** The same of samples that are parsed already. */
export function sharesSince(
  before: Counts,
  uptimeSeconds: number,
  stats: readonly Stat[],
  machine: Machine,
  userOf: (pid: number) => string,
): Process[] {
  const seconds = uptimeSeconds - before.uptimeSeconds
  if (!(seconds > 0)) return []
  const indexOf = new Map<number, number>()
  for (let index = 0; index < before.numbers.length; index += 3)
    indexOf.set(before.numbers[index] ?? 0, index)
  return stats
    .filter(({ pid, parent }) => pid !== machine.probePid && parent !== machine.probePid)
    .map(({ pid, command, startTicks, cpuTicks, rssPages }) => {
      const index = indexOf.get(pid)
      const [, start, ticks = 0] = index === undefined ? [] : before.numbers.subarray(index, index + 3)
      const used = cpuTicks - (start === startTicks ? ticks : 0)
      const rssBytes = rssPages * machine.pageBytes
      const runtimeSeconds = uptimeSeconds - startTicks / machine.ticksPerSecond
      return {
        pid,
        user: userOf(pid),
        command,
        cpuPercent: (100 * Math.max(0, used)) / machine.ticksPerSecond / seconds,
        memPercent: machine.memoryBytes > 0 ? (100 * rssBytes) / machine.memoryBytes : 0,
        rssBytes,
        runtimeHours: Math.max(0, runtimeSeconds) / 3600,
      }
    })
}

/**
 * Names users of processes.
 *
 * @param owners lines `/proc/PID/status:Uid:\tREAL\t…`
 * @param users lines of the user database, `name:…:uid:…`
 */
export function userNames(owners: string, users: string): (pid: number) => string {
  const names = new Map<string, string>()
  for (const line of users.split('\n')) {
    const [name = '', , uid = ''] = line.split(':')
    if (name !== '' && !names.has(uid)) names.set(uid, name)
  }
  const uids = new Map<number, string>()
  for (const [, pid = '', uid = ''] of owners.matchAll(/^\/proc\/(\d{1,10})\/status:Uid:\t(\d{1,10})\t/gm))
    uids.set(Number(pid), uid)
  return (pid) => {
    const uid = uids.get(pid)
    return uid === undefined ? '?' : (names.get(uid) ?? uid)
  }
}
