import { statSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Failure } from './errors.ts'
import { messageOf, quoted } from './text.ts'
import { makeFolder } from './make-folder.ts'

/**
 * Where the folder is, or would be, of what has to survive a reboot: `$XDG_STATE_HOME/resource-sharing`, else
 * `~/.local/state/resource-sharing`. A relative `XDG_STATE_HOME` is ignored, as the XDG base directory specification
 * demands.
 */
export function statePath(): string {
  const xdg = process.env.XDG_STATE_HOME
  const base = xdg?.startsWith('/') ? xdg : join(ownHome(), '.local', 'state')
  return join(base, 'resource-sharing')
}

/** The same folder, made on use for this user alone (0700). @throws Failure when it can't be made */
export async function stateDir(): Promise<string> {
  const folder = statePath()
  try {
    await makeFolder(folder, 0o700)
  } catch (error) {
    throw new Failure(`the state folder ${quoted(folder)} can't be made: ${messageOf(error)}`, {
      cause: error,
    })
  }
  return folder
}

/**
 * Where this user's own files are. With the HOME of somebody else, as some ways to become root leave it, root does not
 * make folders there that they can't enter. A user without an entry in the user database, as in containers, may have none.
 */
export function ownHome(): string {
  try {
    const path = homedir()
    const owner = statSync(path, { throwIfNoEntry: false })?.uid ?? 0
    const own = process.getuid?.() === 0 && owner !== 0 ? userInfo().homedir : path
    if (own.startsWith('/')) return own
  } catch {
    // There is no such user, or no such folder: the error below says what to do.
  }
  throw new Failure('this user has no home folder for the state of this program: set XDG_STATE_HOME')
}
