import type { Limits } from '../../base/command.ts'
import { MEMORY_MARGIN } from '../../model/policy.ts'
import type { Gate } from './machine.ts'
import { done, type Migration } from './migration.ts'
import { freezeAndSend, stage } from './transport.ts'

/** One step of a migration: its name in the journal, and what a person reads while it is taken. */
export type Step = { name: StepName; title: string; take: (migration: Migration) => Promise<void> }
export type StepName = 'claim' | 'reserve' | 'stage' | 'transfer' | 'commit' | 'kill' | 'continue'

const SHORT_MS = 30_000
/** Longer than any step lets itself take on its machine: so the step's own word of why it gave up arrives here. */
const LONG_MS = 150_000
const TRANSFER_MS = 6 * 3_600_000

/** The steps up to the commit: after each of them everything can be undone, and the process goes on where it was. */
export const TO_COMMIT: readonly Step[] = [
  {
    name: 'claim',
    title: 'claiming the process',
    take: async ({ source, signal }) => {
      const end = await source.install('claim', {}, { timeoutMs: SHORT_MS, signal })
      done(source, 'the process can not be claimed', end)
    },
  },
  {
    name: 'reserve',
    title: 'reserving the target',
    take: async ({ target, signal }) => {
      const end = await target.install('reserve', {}, { timeoutMs: SHORT_MS, signal })
      done(target, 'it does not take the process', end)
    },
  },
  {
    name: 'stage',
    title: 'copying files',
    take: async (migration) => {
      const { plan, source, target, reach, signal } = migration
      if (plan.via === 'taildrop') await canDrop(migration)
      if (plan.ship.length + plan.folders.length === 0) return
      const limits = { timeoutMs: TRANSFER_MS, signal }
      const { at, end } = await stage({ source, target, reach, limits })
      done(at, 'the files can not be copied', end)
    },
  },
  {
    name: 'transfer',
    title: 'freezing the process',
    take: async (migration) => {
      const { plan, source, target, reach, signal, watch, gates } = migration
      // What comes after it is made ready before it, while the process still runs.
      if (plan.terminal)
        done(target, 'it gives it no terminal', await target.step('terminal', {}, short(signal)))
      ;[gates.kill, gates.continue] = await Promise.all([source.ready('kill'), target.ready('continue')])
      const settings = { NEED_KIB: String(Math.ceil((plan.process.rssBytes * MEMORY_MARGIN) / 1024)) }
      if (plan.via === 'taildrop') return await drop(migration, settings)
      const limits = { timeoutMs: TRANSFER_MS, signal }
      const moved = watch.moved ?? (() => undefined)
      const { at, end } = await freezeAndSend({ source, target, reach, limits, settings, moved })
      done(at, at === source ? 'the process can not be frozen' : 'the process can not be restored', end)
    },
  },
  {
    name: 'commit',
    title: 'deciding',
    take: async ({ journal }) => await journal.write({ event: 'commit' }),
  },
]

/** The steps after the commit: the copy is the process now, so whatever fails is tried again and nothing is undone. */
export const FROM_COMMIT: readonly Step[] = [
  {
    name: 'kill',
    title: 'ending the original',
    take: async ({ source, signal, gates }) => {
      const end = await atOnce(
        usedUp(gates, 'kill'),
        () => source.step('kill', {}, short(signal)),
        short(signal),
      )
      done(source, 'the original can not be ended', end)
    },
  },
  {
    name: 'continue',
    title: 'continuing on the target',
    take: async ({ target, signal, gates }) => {
      const end = await atOnce(
        usedUp(gates, 'continue'),
        () => target.step('continue', {}, short(signal)),
        short(signal),
      )
      done(target, 'the copy can not be continued', end)
    },
  },
]

function short(signal: AbortSignal): Limits {
  return { timeoutMs: SHORT_MS, signal }
}

/** A command that waits takes its step once: taken again, it would only tell once more how that ended. */
function usedUp(gates: Migration['gates'], name: keyof Migration['gates']): Gate | undefined {
  const gate = gates[name]
  delete gates[name]
  return gate
}

/**
 * Takes a step by the command that waits for it, which saves a connection's time while the process stands still. Where
 * that command is not there, or its answer gets lost, the step is taken the usual way: a step that has been taken already
 * finds its mark on the machine, changes nothing, and gives the same answer.
 */
async function atOnce(gate: Gate | undefined, otherwise: () => ReturnType<Gate['step']>, limits: Limits) {
  const end = await gate?.step(limits)
  return end?.known ? end : await otherwise()
}

/** Whether images can go by Taildrop at all is found out before anything is frozen. */
async function canDrop({ source, target, signal }: Migration): Promise<void> {
  done(source, 'Taildrop can not be used', await source.step('candrop', {}, short(signal)))
  done(target, 'Taildrop can not be used', await target.step('cancatch', {}, short(signal)))
}

async function drop(
  { source, target, signal }: Migration,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const limits = { timeoutMs: LONG_MS, signal }
  done(source, 'the process can not be frozen', await source.step('dump', settings, limits))
  const patient = { timeoutMs: TRANSFER_MS, signal }
  const long = { LIMIT: String(TRANSFER_MS / 1000) }
  done(source, 'the images can not be sent', await source.step('drop', long, patient))
  done(target, 'the images have not arrived', await target.step('catch', long, patient))
  done(target, 'the process can not be restored', await target.step('restore', {}, limits))
}

/** Takes a step, and writes down before and after it that it was. */
export async function take(step: Step, migration: Migration): Promise<void> {
  await migration.watch.step?.(step.name)
  migration.signal.throwIfAborted()
  await migration.journal.write({ event: 'begins', step: step.name })
  await step.take(migration)
  await migration.journal.write({ event: 'did', step: step.name })
}

const TITLES = new Map<string, string>([...TO_COMMIT, ...FROM_COMMIT].map(({ name, title }) => [name, title]))

/** What a person reads of a step, by the name that journals have of it; undefined of one that is not told of. */
export function titleOfStep(name: string): string | undefined {
  return TITLES.get(name)
}
