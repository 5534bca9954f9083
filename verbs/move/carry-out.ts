import { bytesText } from '../../lib/base/bytes.ts'
import { standalone } from '../../lib/base/own-program.ts'
import type { Reach } from '../../lib/mesh/remote/host.ts'
import { aftermath } from '../../lib/work/migrate/aftermath.ts'
import { Journal } from '../../lib/work/migrate/journal.ts'
import type { MigrationPlan } from '../../lib/work/migrate/plan.ts'
import { titleOfStep } from '../../lib/work/migrate/steps.ts'
import { migrate, startGuardian } from '../../lib/work/migrate/transaction.ts'
import type { Deps } from '../verb.ts'
import type { MigrateScumResult } from './schemas.ts'

/** How long the guardian tries to reach machines that can't be reached, in seconds. */
const GUARDIAN_SECONDS = 600

/**
 * Carries the plan of a migration out, whatever fails, to one of its ends.
 *
 * @throws Failure where it could not even be written down
 */
export async function carryOut(
  plan: MigrationPlan,
  deps: Pick<Deps, 'signal' | 'hint' | 'progress'>,
  reach: Reach,
): Promise<MigrateScumResult> {
  const journal = await Journal.create(plan)
  const lock = await journal.lock()
  if (!lock) throw new RangeError('the lock of a new journal is taken')
  const progress = await deps.progress('moving')
  const went = { bytes: 0, began: performance.now(), frozen: Number.NaN, running: Number.NaN }
  const say = (line: string) => {
    progress.stop()
    deps.hint(line)
  }
  try {
    const guardian = ['migrate-recover', [plan.id, '--wait', String(GUARDIAN_SECONDS), '--quiet']] as const
    await startGuardian(standalone(...guardian), journal).catch(async (error: unknown) => {
      await journal.close()
      throw error
    })
    const ended = await migrate(journal, reach, deps.signal, {
      step: (name) => {
        if (name === 'transfer') went.frozen = performance.now()
        if (name === 'finish') went.running = performance.now()
        const title = titleOfStep(name)
        if (title !== undefined) say(title)
      },
      moved: (bytes) => {
        if (went.bytes === 0) went.began = performance.now()
        went.bytes += bytes
        const speed = `${bytesText((1000 * went.bytes) / Math.max(1, performance.now() - went.began))}/s`
        if (bytes === 0) say(`sent ${bytesText(went.bytes)}, ${speed}; restoring`)
        else progress.update(`sending: ${bytesText(went.bytes)}, ${speed}`)
      },
    })
    const state = ended.kind === 'moved' ? await aftermath(plan, reach, deps.signal) : undefined
    const downtimeSeconds = (went.running - went.frozen) / 1000
    const decide = 'decide' in ended ? ended.decide : undefined
    return {
      id: plan.id,
      outcome: ended.kind,
      detail: ended.detail,
      from: plan.source.name,
      to: plan.target.name,
      pid: plan.process.pid,
      command: plan.process.command,
      tasks: plan.process.tasks,
      bytes: went.bytes,
      files: plan.ship,
      ...(plan.terminal ? { terminal: plan.terminal.path } : {}),
      ...(state === undefined ? {} : { state }),
      ...(Number.isNaN(downtimeSeconds) ? {} : { downtimeSeconds }),
      ...(ended.refused === undefined ? {} : { refused: ended.refused }),
      ...(ended.interrupted ? { interrupted: true } : {}),
      ...(decide === undefined ? {} : { decide }),
    }
  } finally {
    progress.stop()
    await lock.release()
  }
}
