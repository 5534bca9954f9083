import { join } from 'node:path'
import { Failure } from '../lib/errors.ts'
import { takeLock } from '../lib/state/lock.ts'
import { stateDir } from '../lib/state/state-dir.ts'
import { messageOf, quoted } from '../lib/text.ts'

/**
 * Does the work unless another process is doing the work of this name, for the same user.
 *
 * @returns whether it was done
 */
export async function alone(name: string, work: () => Promise<void>): Promise<boolean> {
  const file = join(await stateDir(), `${name}.lock`)
  const lock = await takeLock(file).catch((error: unknown) => {
    throw new Failure(`${quoted(file)} can't be locked: ${messageOf(error)}`, { cause: error })
  })
  if (lock === undefined) return false
  try {
    await work()
  } finally {
    await lock.release()
  }
  return true
}
