import { titleOf } from '../machine/throttle/throttle.ts'
import type {
  ScumKillResult,
  ScumReleaseResult,
  ScumThrottleResult,
  ThrottledResult,
} from '../../verbs/hold/schemas.ts'
import { plain } from '../base/text.ts'
import { table } from './table.ts'

/** What holds a process now, and how it is let go. */
export function heldLines({
  pid,
  command,
  means,
  percent,
  processes,
  passedOver,
}: ScumThrottleResult): string[] {
  const children = processes > 1 ? ` and ${processes - 1} of its children` : ''
  const how =
    means === 'pause' ? 'stopped' : percent === undefined ? 'slowed down' : `held to ${percent} % of a CPU`
  return [
    `PID ${pid} (${plain(command)})${children} ${how} by ${titleOf(means)}`,
    ...passedOver.map(({ why }) => `  passed over: ${why}`),
    `  undo: just scum-throttle ${pid} --release`,
  ]
}

export function releasedLine({ pid, command, means }: ScumReleaseResult['released'][number]): string {
  return `PID ${pid} (${plain(command)}) released from ${titleOf(means)}`
}

const ENDINGS = {
  ended: 'has ended',
  killed: 'did not end by itself and was killed',
  'still there': 'is still there: the kernel waits for something, often a disk or a network file system',
}

export function endingLine({ pid, command, outcome }: ScumKillResult['processes'][number]): string {
  return `PID ${pid} (${plain(command)}) ${ENDINGS[outcome]}`
}

/** A row a process that is held. */
export async function throttledLines(
  held: ThrottledResult['held'],
  width: number,
  dim: (text: string) => string,
): Promise<string[]> {
  const columns = [
    { head: 'PID', align: 'right' },
    { head: 'COMMAND', shrinks: true },
    { head: 'PERCENT', align: 'right' },
    { head: 'SINCE' },
    { head: 'BY', optional: 1 },
  ] as const
  const rows = held.map(({ pid, command, means, percent, since }) => [
    String(pid),
    command,
    means === 'pause' ? 'stopped' : (percent?.toString() ?? 'low'),
    since.replace(/\..*/, 'Z'),
    titleOf(means),
  ])
  return await table(columns, rows, width, dim)
}
