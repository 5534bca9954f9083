import type { Process } from '../model/process.ts'

/**
 * What FreeBSD, DragonFly and NetBSD list beside processes: the time in which a CPU has nothing to do, and threads of the
 * kernel's own (sys/kern of FreeBSD, as `ps axo comm` names them).
 */
const OF_THE_KERNEL =
  /^\[?(?:idle(?:_\d+|: cpu\d+)?|kernel|intr|swapper|system|geom|pagedaemon|vmdaemon|bufdaemon|bufspacedaemon.*|laundry.*|syncer|vnlru|rand_harvestq|crypto|crypto returns.*|cam|usb|audit|sctp_iterator|zfskern|md\d*|soaiod.*|ng_queue|acpi_.*|hwpmc.*|nfscl|KTLS|pf purge|ithread.*)\]?$/

/**
 * The processes of macOS and the BSDs, where the share of CPU that ps shows decays within seconds.
 *
 * @param usage lines of `ps axo pid,%cpu,%mem,comm`
 * @param details lines of `ps axo pid,rss,etime,user`; a process that is missing there began after the first list
 */
export function parsePs(usage: string, details: string): Process[] {
  const more = new Map<number, Pick<Process, 'rssBytes' | 'runtimeHours' | 'user'>>()
  for (const line of details.split('\n')) {
    const match = /^ *(\d{1,10}) +(\d{1,12}) +([\d:-]{1,20}) +(\S.*)$/.exec(line)
    if (match === null) continue
    const [, pid, rssKib, elapsed = '', user = ''] = match
    more.set(Number(pid), {
      rssBytes: Number(rssKib) * 1024,
      runtimeHours: hours(elapsed),
      user: user.trimEnd(),
    })
  }
  return usage.split('\n').flatMap((line) => {
    const match = /^ *(\d{1,10}) +(\d{1,7}(?:\.\d+)?) +(\d{1,3}(?:\.\d+)?) +(.+)$/.exec(line)
    if (match === null) return []
    const [, pid, cpuPercent, memPercent, command = ''] = match
    // A Mac's processes are told by their paths: nothing of the kernel's is among them.
    if (Number(pid) !== 1 && OF_THE_KERNEL.test(command)) return []
    const rest = more.get(Number(pid)) ?? { rssBytes: 0, runtimeHours: 0, user: '?' }
    const shown = { cpuPercent: Number(cpuPercent), memPercent: Number(memPercent) }
    return [{ pid: Number(pid), command, ...shown, ...rest }]
  })
}

/** `[[days-]hours:]minutes:seconds`, as ps writes an elapsed time. */
function hours(elapsed: string): number {
  const match = /^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)$/.exec(elapsed)
  if (match === null) return 0
  const [days = 0, hour = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0))
  return days * 24 + hour + minutes / 60 + seconds / 3600
}
