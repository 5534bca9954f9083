import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../errors.ts'
import { messageOf, quoted } from '../text.ts'

/**
 * The folder of what has to survive a reboot: `$XDG_STATE_HOME/resource-sharing`, else
 * `~/.local/state/resource-sharing`. It is made on use, for this user alone (0700).
 *
 * A relative `XDG_STATE_HOME` is ignored, as the XDG base directory specification demands.
 *
 * @throws Failure when it can't be made
 */
export async function stateDir(): Promise<string> {
  const xdg = process.env.XDG_STATE_HOME
  const base = xdg?.startsWith('/') ? xdg : join(home(), '.local', 'state')
  const folder = join(base, 'resource-sharing')
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Failure(`the state folder ${quoted(folder)} can't be made: ${messageOf(error)}`, {
      cause: error,
    })
  }
  return folder
}

/** A user without an entry in the user database, as in containers, may have none. */
function home(): string {
  try {
    const path = homedir()
    if (path.startsWith('/')) return path
  } catch {
    // Told below.
  }
  throw new Failure('this user has no home folder for the state of this program: set XDG_STATE_HOME')
}
