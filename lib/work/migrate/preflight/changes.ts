import { waitingFor } from '../../../machine/ancestry.ts'
import type { SourceFacts, TargetFacts } from '../facts/facts.ts'
import { carriedChanges } from './carried.ts'
import { terminalChanges } from './terminals.ts'
import { losses } from './losses.ts'
import { who } from './words.ts'

/** What every process that criu has frozen meets, also where it goes on as before (criu issue 1589). */
const INTERRUPTED =
  'a sleep or a poll that it is in ends early, with EINTR, which a program may not expect; also when the move is undone'

/**
 * What is not afterwards as it was before: whole lines, safe to show. What the process loses, what happens to it on its
 * way, and who here sees its end.
 *
 * @param target without it, only what changes on any
 * @param may what the person has allowed
 */
export function changes(
  source: SourceFacts,
  target?: TargetFacts,
  may: { closeConnections?: boolean } = {},
): string[] {
  const [task] = source.tree
  const [parent] = source.ancestors
  const sees = parent && parent.pid !== 1 && waitingFor([parent]).length === 0 && parent.command !== 'systemd'
  const stopped = source.tree.filter(({ state }) => state === 'T')
  return [
    ...losses(source, target),
    ...carriedChanges(source, may),
    ...(stopped.length > 0
      ? [
          `${stopped.length === source.tree.length ? who(task) : `a part of it, ${stopped.map((each) => who(each)).join(', ')},`} is stopped, and stays stopped there`,
        ]
      : []),
    ...terminalChanges(source),
    INTERRUPTED,
    'what it opens later, by name, is the other machine’s: only what is open now goes along',
    'while it stands still, the time of the day goes on, and its own clocks do not',
    ...(sees ? [`${who(parent)} here sees it end, by SIGKILL`] : []),
  ]
}
