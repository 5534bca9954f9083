import type { MigratePreflightResult, MigrateScumResult } from '../../verbs/move/schemas.ts'
import { bytesText } from '../base/bytes.ts'
import { plain } from '../base/text.ts'

// As measured: what a freeze takes at least, and how fast images go over ssh.
const LEAST_SECONDS = 0.2
const BYTES_PER_SECOND = 150e6

type Planned = Pick<MigratePreflightResult, 'process' | 'source' | 'target' | 'ship' | 'via' | 'changes'>

/** What would be done. */
export function preflightLines({ process, source, target, ship, via, changes }: Planned): string[] {
  const seconds = LEAST_SECONDS + process.rssBytes / BYTES_PER_SECOND
  const parts = process.tasks === 1 ? '' : `, with ${process.tasks - 1} children`
  return [
    `PID ${process.pid} (${plain(process.command, 40)})${parts} would move from ${source.name} to ${target.name} by ${via}:`,
    `${bytesText(process.rssBytes)} of memory, about ${seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)} s of standing still`,
    ...ship.map((file) => `${plain(file)} would go along`),
    ...changes.map((line) => plain(line, 400)),
  ]
}

const NOW: Record<NonNullable<MigrateScumResult['state']>, (name: string) => string> = {
  running: (name) => `runs on ${name}`,
  stopped: (name) => `is on ${name}, stopped as it was,`,
  ended: (name) => `went on on ${name}, and has ended there since,`,
  unknown: (name) => `went on on ${name}, which can't be asked now whether it still does,`,
}

/** What has become of a process that was moved, and where to look at it. */
export function movedLines(moved: MigrateScumResult): string[] {
  const { id, pid, command, to, files, terminal, state = 'unknown', downtimeSeconds = 0 } = moved
  const logs = files.map((file) => plain(file)).slice(0, 3)
  return [
    `PID ${pid} (${plain(command, 40)}) ${NOW[state](to)} as PID ${pid}; it stood still for ${downtimeSeconds.toFixed(2)} s`,
    ...(terminal === undefined ? [] : [`its terminal: just attach ${id}`]),
    `to look at it: ssh ${to} ps -p ${pid}${logs.length > 0 ? `; its files: ${logs.join(', ')}` : ''}`,
  ]
}
