import { done, type Migration } from './migration.ts'
import { sendAndRestore, stage } from './transport.ts'

/** One step of a migration: its name in the journal, and what a person reads while it is taken. */
export type Step = { name: StepName; title: string; take: (migration: Migration) => Promise<void> }
export type StepName =
  | 'claim'
  | 'reserve'
  | 'stage'
  | 'freeze'
  | 'transfer'
  | 'commit'
  | 'kill'
  | 'continue'
  | 'finish'

const SHORT_MS = 30_000
/** More than a step gives itself there: it says itself how it ended. */
const LONG_MS = 150_000
const TRANSFER_MS = 6 * 3_600_000

/** Up to here everything can be undone, and the process goes on where it was. */
export const TO_COMMIT: readonly Step[] = [
  {
    name: 'claim',
    title: 'claiming the process',
    take: async ({ source, signal }) => {
      done(
        source,
        'the process can not be claimed',
        await source.install('claim', {}, { timeoutMs: SHORT_MS, signal }),
      )
    },
  },
  {
    name: 'reserve',
    title: 'reserving the target',
    take: async ({ target, signal }) => {
      done(
        target,
        'it does not take the process',
        await target.install('reserve', {}, { timeoutMs: SHORT_MS, signal }),
      )
    },
  },
  {
    name: 'stage',
    title: 'copying files',
    take: async (migration) => {
      const { plan, source, target, reach, signal, watch } = migration
      if (plan.via === 'taildrop') await canDrop(migration)
      if (plan.ship.length + plan.folders.length === 0) return
      const limits = { timeoutMs: TRANSFER_MS, signal }
      const moved = watch.moved ?? (() => undefined)
      done(target, 'the files can not be copied', await stage({ source, target, reach, limits, moved }))
    },
  },
  {
    name: 'freeze',
    title: 'freezing the process',
    take: async ({ plan, source, signal }) => {
      const needKib = String(Math.ceil((plan.process.rssBytes * 1.2) / 1024))
      const limits = { timeoutMs: LONG_MS, signal }
      done(
        source,
        'the process can not be written to images',
        await source.step('dump', { NEED_KIB: needKib }, limits),
      )
    },
  },
  {
    name: 'transfer',
    title: 'sending and restoring',
    take: async (migration) => {
      const { plan, source, target, reach, signal, watch } = migration
      if (plan.via === 'taildrop') return await drop(migration)
      const limits = { timeoutMs: TRANSFER_MS, signal }
      const moved = watch.moved ?? (() => undefined)
      done(
        target,
        'the process can not be restored',
        await sendAndRestore({ source, target, reach, limits, moved }),
      )
    },
  },
  {
    name: 'commit',
    title: 'deciding',
    take: async ({ journal }) => await journal.write({ event: 'commit' }),
  },
]

/** From the commit on there is one direction. */
export const FROM_COMMIT: readonly Step[] = [
  {
    name: 'kill',
    title: 'ending the original',
    take: async ({ source, signal }) => {
      done(
        source,
        'the original can not be ended',
        await source.step('kill', {}, { timeoutMs: SHORT_MS, signal }),
      )
    },
  },
  {
    name: 'continue',
    title: 'continuing on the target',
    take: async ({ target, signal }) => {
      done(
        target,
        'the copy can not be continued',
        await target.step('continue', {}, { timeoutMs: SHORT_MS, signal }),
      )
    },
  },
]

/** Whether images can go by Taildrop at all is found out before anything is frozen. */
async function canDrop({ source, target, signal }: Migration): Promise<void> {
  const limits = { timeoutMs: SHORT_MS, signal }
  done(source, 'Taildrop can not be used', await source.step('candrop', {}, limits))
  done(target, 'Taildrop can not be used', await target.step('cancatch', {}, limits))
}

async function drop({ source, target, signal }: Migration): Promise<void> {
  const limits = { timeoutMs: TRANSFER_MS, signal }
  const settings = { LIMIT: String(TRANSFER_MS / 1000) }
  done(source, 'the images can not be sent', await source.step('drop', settings, limits))
  done(target, 'the images have not arrived', await target.step('catch', settings, limits))
  done(
    target,
    'the process can not be restored',
    await target.step('restore', {}, { timeoutMs: LONG_MS, signal }),
  )
}

/** Takes a step, and writes down before and after it that it was. */
export async function take(step: Step, migration: Migration): Promise<void> {
  await migration.watch.step?.(step.name)
  migration.signal.throwIfAborted()
  await migration.journal.write({ event: 'begins', step: step.name })
  await step.take(migration)
  await migration.journal.write({ event: 'did', step: step.name })
}
