import { join } from 'node:path'
import { Failure } from './errors.ts'
import { takeLock } from './lock.ts'
import { stateDir } from './state-dir.ts'
import { messageOf, quoted } from './text.ts'

/**
 * Does the work unless another process is doing the work of this name, for the same user.
 *
 * @returns what came of it; undefined where another process does it
 */
export async function oneAtATime<T>(
  name: string,
  work: () => Promise<T>,
): Promise<{ result: T } | undefined> {
  const file = join(await stateDir(), `${name}.lock`)
  const lock = await takeLock(file).catch((error: unknown) => {
    throw new Failure(`${quoted(file)} can't be locked: ${messageOf(error)}`, { cause: error })
  })
  if (lock === undefined) return undefined
  try {
    return { result: await work() }
  } finally {
    await lock.release()
  }
}
