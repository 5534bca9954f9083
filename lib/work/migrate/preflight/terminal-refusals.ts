import { SHELLS } from '../../../machine/ancestry.ts'
import type { SourceFacts, TargetFacts, TaskFacts } from '../facts/facts.ts'
import type { Refusal } from '../facts/refusal.ts'
import {
  innerTerminals,
  isDevTty,
  isPts,
  isTerminal,
  leadsTerminal,
  movingTerminal,
  outerUses,
  pathOf,
  type Use,
} from './terminals.ts'
import { some, who } from './words.ts'

const ALONE = 'move what runs on one of them'

/** Why a terminal can't move along. */
export function terminals(source: SourceFacts): Refusal[] {
  const [root] = source.tree
  const inner = new Set(innerTerminals(source))
  const onlooker = source.onlookers?.find(({ index }) => inner.has(index))
  if (onlooker)
    return refused(
      'terminal-outside',
      `${who(root)} has the other end of a terminal that ${who(onlooker)} uses, which would not move with it`,
    )
  const uses = outerUses(source)
  const closed = uses.find(({ file }) => file?.deleted)
  if (closed)
    return refused('terminal-closed', `${who(closed.task)} has a terminal that has been closed`, ALONE)
  const other = uses.find((use) => !isPts(use))
  if (other)
    return refused(
      'terminal-kind',
      `${who(other.task)} is on a console or a serial line, which can't move`,
      'start it in tmux or screen, or by ssh, and it can move',
    )
  const paths = new Set(uses.map((use) => pathOf(use)))
  if (paths.size > 1)
    return refused(
      'terminals',
      `${who(root)} and what it has started have several terminals: ${some([...paths])}`,
      ALONE,
    )
  return leadsTerminal(source) ? ofLeader(source, uses) : []
}

/** criu gives a session's terminal to its leader alone: what else runs in it has no /dev/tty there, and may not need it. */
function ofLeader(source: SourceFacts, uses: readonly Use[]): Refusal[] {
  const [root, ...rest] = source.tree
  if (!uses.some(({ file }) => file))
    return refused('terminal', `${who(root)} leads the session of a terminal that it does not have open`)
  const others = rest.filter(({ terminal, state }) => terminal !== 0 && state !== 'Z')
  const reader = others.find(({ open }) => open.some((file) => isDevTty(file)))
  if (reader)
    return refused(
      'terminal-open',
      `${who(reader)} has /dev/tty open, which it would not have there`,
      'move it alone, or end it first',
    )
  const shell = others.find((task) => isShellWithJobs(task))
  if (!shell) return []
  return refused(
    'terminal-shell',
    `${who(shell)} is a shell in a shell, which could not control its jobs there`,
    'move it alone, or leave it first',
  )
}

/** A shell that a person types into keeps the terminal open under a number that no program of its own has. */
function isShellWithJobs({ command, open, pid, group }: TaskFacts): boolean {
  return SHELLS.test(command) && pid === group && open.some((file) => isTerminal(file) && file.fd >= 10)
}

/** A terminal is somebody's: whoever looks at it has to know that it goes. */
export function notAgreed(source: SourceFacts, withTerminals: boolean): Refusal[] {
  const [use] = outerUses(source)
  if (withTerminals || !use) return []
  return refused(
    'terminal',
    `${who(use.task)} has a terminal, which would move too`,
    'with --with-terminals it does',
  )
}

/** What is to hold the terminal there is a program in Python. */
export function noHolder(source: SourceFacts, { host, tools }: TargetFacts): Refusal[] {
  if (outerUses(source).length === 0 || tools?.includes('python3') !== false) return []
  const sentence = `${host} has no python3, which a terminal needs there`
  const advice = 'install python3, and tmux for a screen that is kept'
  return [{ code: 'terminal-python', sentence, advice, at: 'target' }]
}

/**
 * Names of terminals that have to be free there: of one whose both ends move, and of one that was opened more than once,
 * which shows where it is open in several ways. criu opens both by their names.
 */
export function namesTaken(source: SourceFacts, { host, paths }: TargetFacts): Refusal[] {
  const { terminal } = movingTerminal(source)
  const ways = outerUses(source).flatMap(({ file }) => (file ? [`${file.writable} ${file.append}`] : []))
  const byName = terminal && !leadsTerminal(source) && new Set(ways).size > 1 ? [terminal.path] : []
  const inner = innerTerminals(source).map((index) => `/dev/pts/${index}`)
  const taken = [...inner, ...byName].filter((path) => paths[path])
  if (taken.length === 0) return []
  const sentence = `${host}: another terminal has the name ${some(taken)} now`
  const advice = 'try again later, or another machine with --target'
  return [{ code: 'terminal-taken', sentence, advice, at: 'target' }]
}

function refused(code: string, sentence: string, advice?: string): Refusal[] {
  return [{ code, sentence, ...(advice === undefined ? {} : { advice }), at: 'source' }]
}
