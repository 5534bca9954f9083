import { setTimeout as sleep } from 'node:timers/promises'
import type { Reach } from '../../mesh/remote/host.ts'
import type { Journal } from './journal.ts'
import { migrationOf } from './migration.ts'
import { settle, type Settlement } from './settle.ts'

const POLL_MS = 100
const AGAIN_MS = 3000
/** How long another program may be busy with this migration before who has no patience is told that it is in doubt. */
const LEAST_PATIENCE_MS = 90_000

/**
 * Settles a migration as soon as nobody else sees to it.
 *
 * @param patience for how long to try again while a machine can't be reached, and to wait for who sees to it
 */
export async function recover(
  journal: Journal,
  reach: Reach,
  patience: { waitMs: number; signal: AbortSignal },
): Promise<Settlement> {
  const { waitMs, signal } = patience
  const began = performance.now()
  const waited = () => performance.now() - began
  if (waitMs > 0) await journal.guard()
  let lastLook = began
  for (;;) {
    const lock = await journal.lock()
    if (lock) {
      lastLook = performance.now()
      try {
        await journal.reload()
        const outcome = await settle(migrationOf(journal, reach, signal), 'the migration was interrupted')
        if ((outcome.kind !== 'doubt' && !(await journal.exists())) || waited() > waitMs) return outcome
      } finally {
        await lock.release()
      }
      await sleep(AGAIN_MS, undefined, { signal })
      continue
    }
    if (!(await journal.exists())) return await journal.ending()
    if (performance.now() - lastLook > Math.max(waitMs, LEAST_PATIENCE_MS))
      return { kind: 'doubt', detail: 'another program sees to this migration' }
    await sleep(POLL_MS, undefined, { signal })
  }
}
