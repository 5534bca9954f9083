import { SCUM_CPU_PERCENT } from '../scum.ts'
import { parseStats } from './stat.ts'

/** What a person is told where others' processes are hidden. */
export const ONLY_OWN =
  'only your own processes can be seen: /proc is mounted with hidepid (ask as root, or as a member of its gid)'

/** One process and what it uses. CPU is in percent of one CPU and may exceed 100; memory of the machine's. */
export type Process = {
  pid: number
  /** Its user's name, or number where the machine has no name for it. As it is: not yet safe to print. */
  user: string
  /** The kernel's name of the command (15 bytes on Linux), as it is: not yet safe to print. */
  command: string
  cpuPercent: number
  memPercent: number
  rssBytes: number
  runtimeHours: number
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
  const seconds = after.uptimeSeconds - before.uptimeSeconds
  if (!(seconds > 0)) return []
  const earlier = new Map(parseStats(before.stats).map((stat) => [stat.pid, stat]))
  return parseStats(after.stats)
    .filter(({ pid, parent }) => pid !== machine.probePid && parent !== machine.probePid)
    .map(({ pid, command, startTicks, cpuTicks, rssPages }) => {
      const first = earlier.get(pid)
      const used = cpuTicks - (first?.startTicks === startTicks ? first.cpuTicks : 0)
      const rssBytes = rssPages * machine.pageBytes
      const runtimeSeconds = after.uptimeSeconds - startTicks / machine.ticksPerSecond
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
