import type { Process } from './processes.ts'

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
