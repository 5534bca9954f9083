import { join } from 'node:path'
import { makeFolder } from '../../base/make-folder.ts'
import { stateDir } from '../../base/state-dir.ts'

/** How a migration can end: moved, or running where it was, or gone for another reason. */
export const OUTCOMES = ['moved', 'back', 'gone'] as const

/** Where journals lie, one folder each, in the state folder of this user. */
export async function journalsDir(): Promise<string> {
  const path = join(await stateDir(), 'migrations')
  await makeFolder(path, 0o700)
  return path
}
