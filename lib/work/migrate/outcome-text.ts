import { plain } from '../../base/text.ts'
import type { Settlement } from './settle.ts'

/** What a migration was about, and how it ended. */
export type Ending = Pick<Settlement, 'detail'> & {
  outcome: Settlement['kind']
  id: string
  pid: number
  /** The kernel's name of it, as it is. */
  command: string
  /** The machine where it was. */
  from: string
  /** What a person has to decide. */
  decide?: string
}

/** How a migration ended and, where it moved nothing, what to do. Safe to print. */
export function outcomeText({ outcome, id, pid, command, from, detail, decide }: Ending): string {
  const what = `PID ${pid} (${plain(command, 40)})`
  if (outcome === 'moved') return `${what}: ${detail}`
  if (outcome === 'back') return `${plain(detail, 300)}: ${what} runs on ${from} as before`
  if (outcome === 'gone') return plain(detail, 300)
  const next = decide ?? `run: just migrate-recover ${id}`
  return `in doubt: ${plain(detail, 400)}; ${plain(next, 400)}`
}
