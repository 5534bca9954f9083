import type { CriuOptions } from './criu-options.ts'
import type { SourceFacts } from '../facts/facts.ts'
import { hasLostLeader } from './surroundings.ts'
import { movingTerminal, terminalOptions } from './terminals.ts'
import { ghosts, lockedFiles } from './descriptors.ts'
import { connections, listeners } from './network.ts'
import { shown, some, who } from './words.ts'

/** What criu takes without being told, of a file without a name. It may grow until the freeze: to twice its size. */
const GHOST_BYTES = 2 ** 20

/** What the person has allowed. */
type May = { closeConnections?: boolean }

/** What criu has to be told that it may carry, by what the process has; absent where there is nothing of the kind. */
export function criuOptions(source: SourceFacts, { closeConnections = false }: May): { criu?: CriuOptions } {
  const criu: CriuOptions = {}
  if (lockedFiles(source).length > 0) criu.fileLocks = true
  Object.assign(criu, terminalOptions(source))
  if (isLost(source)) criu.lostSession = true
  const { largest } = ghosts(source)
  if (largest > GHOST_BYTES / 2) criu.ghostLimitBytes = 2 * largest
  if (closesConnections(source, closeConnections)) criu.tcpClose = true
  return Object.keys(criu).length > 0 ? { criu } : {}
}

/** What is not afterwards as it was before for being carried so: whole lines, safe to show. */
export function carriedChanges(source: SourceFacts, { closeConnections = false }: May): string[] {
  return [...sessionChange(source), ...lockChange(source), ...socketChanges(source, closeConnections)]
}

/** Who has a terminal is in the session of that one there. */
function isLost(source: SourceFacts): boolean {
  return movingTerminal(source).terminal === undefined && hasLostLeader(source)
}

function sessionChange(source: SourceFacts): string[] {
  if (!isLost(source)) return []
  return [`${who(source.tree[0])} is in a session of another number there, without a leader`]
}

/** Also those that it gets between now and the freeze. */
function closesConnections(source: SourceFacts, may: boolean): boolean {
  return may && connections(source).length + listeners(source).length > 0
}

function lockChange(source: SourceFacts): string[] {
  const locked = lockedFiles(source)
  const [first] = locked
  if (!first) return []
  const names = some(locked.map(({ thing }) => shown(thing.link)))
  return [`${who(first.task)} holds its lock on ${names} there, and no longer here against others`]
}

function socketChanges(source: SourceFacts, may: boolean): string[] {
  const [task] = source.tree
  const open = listeners(source)
  const ports = some(open.map(({ port }) => String(port)))
  return [
    ...(closesConnections(source, may)
      ? [
          `the connections of ${who(task)} are closed, as if the other end had: ${connections(source).length} now`,
        ]
      : []),
    ...(open.length > 0
      ? [`${who(task)} listens on port ${ports} there, and no longer on ${source.host}`]
      : []),
  ]
}
