import { setTimeout as sleep } from 'node:timers/promises'
import { Failure, Interrupted } from '../../base/errors.ts'
import type { Reach } from '../../mesh/remote/host.ts'
import { startDetached } from '../../base/command.ts'
import { messageOf } from '../../base/text.ts'
import { RENEW_RESERVATION_MS } from '../../model/policy.ts'
import type { Journal } from './journal.ts'
import { STEP } from './machine.ts'
import { migrationOf, StepFailed, type Migration, type Watch } from './migration.ts'
import { forward, settle, type Settlement } from './settle.ts'
import { take, TO_COMMIT } from './steps.ts'

/** How a migration ended, and whether the target or another migration had refused it before anything was touched. */
export type Ended = Settlement & { refused?: 'by source' | 'by target'; interrupted?: boolean }

const RENEW_WITHIN_MS = 15_000
const GUARDIAN_MS = 20_000

/**
 * Moves a process: every step in its order, or what was begun is undone. At every instant at most one copy runs and one
 * can be run. The caller holds the journal's lock.
 *
 * @param signal before the commit it undoes what was begun; after it, nothing is interrupted
 */
export async function migrate(
  journal: Journal,
  reach: Reach,
  signal: AbortSignal,
  watch: Watch,
): Promise<Ended> {
  const unending = new AbortController().signal
  const final = migrationOf(journal, reach, unending, watch)
  const migration = { ...final, signal }
  const renewal = setInterval(() => void renew(migration), RENEW_RESERVATION_MS)
  let step = ''
  try {
    for (const each of TO_COMMIT) {
      step = each.name
      await take(each, migration)
    }
    return await forward(final)
  } catch (error) {
    if (!(error instanceof Failure) || journal.committed) throw error
    const outcome = await settle(final, messageOf(error))
    if (error instanceof Interrupted) return { ...outcome, interrupted: true }
    const early = error instanceof StepFailed && (error.status === STEP.refused || error.status === STEP.gone)
    if (early && step === 'claim') return { ...outcome, refused: 'by source' }
    if (early && step === 'reserve') return { ...outcome, refused: 'by target' }
    return outcome
  } finally {
    clearInterval(renewal)
    Object.values(final.gates).forEach((gate) => gate.cancel())
  }
}

/** A reservation that could not be renewed is noticed by the step that needs it. */
async function renew({ journal, target, signal }: Migration): Promise<void> {
  if (!journal.done('reserve') || journal.over) return
  await target.step('renew', {}, { timeoutMs: RENEW_WITHIN_MS, signal }).catch(() => undefined)
}

/**
 * Starts the program that settles the migration when this one dies, and waits until it stands by: it sees that the
 * journal's lock is free again.
 *
 * @param argv `migrate-recover` for this migration, told to wait
 * @throws Failure when it does not start
 */
export async function startGuardian(argv: readonly string[], journal: Journal): Promise<void> {
  const [file = '', ...args] = argv
  startDetached({ file, args })
  const deadline = performance.now() + GUARDIAN_MS
  while (!(await journal.guarded())) {
    if (performance.now() > deadline)
      throw new Failure('the program that would settle the migration does not start: nothing was touched')
    await sleep(20)
  }
}
