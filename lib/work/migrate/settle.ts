import type { Journal } from './journal.ts'
import { FOLDER, STEP, type Machine, type StepEnd } from './machine.ts'
import { criuWords } from './preflight/criu-options.ts'
import { StepFailed, type Migration } from './migration.ts'
import { FROM_COMMIT, take } from './steps.ts'

/** How a migration ended, or that it has not. */
export type Settlement =
  | { kind: 'moved'; detail: string }
  /** The process runs where it was. */
  | { kind: 'back'; detail: string }
  /** It runs nowhere: it ended by itself, or its machine did. */
  | { kind: 'gone'; detail: string }
  /** `decide`: what a person can run, where no program can know what is right. */
  | { kind: 'doubt'; detail: string; decide?: string }

const FACTS_MS = 45_000
const UNDO_MS = 120_000
const RESTORE_MS = 150_000

/**
 * Brings a migration to its end from wherever it stands, by its journal and by what is found on both machines, never
 * by the journal alone. Whoever calls it holds the journal's lock. It may be called again and again.
 */
export async function settle(migration: Migration, reason: string): Promise<Settlement> {
  const { journal } = migration
  if (journal.over) return await sweep(migration)
  const outcome = journal.committed ? await forward(migration) : await decide(migration, reason)
  if (outcome.kind === 'doubt') {
    await journal.write({ event: 'doubt', reason: outcome.detail })
    return outcome
  }
  return outcome
}

/** Before the commit: back, unless the copy is all that there is. */
async function decide(migration: Migration, reason: string): Promise<Settlement> {
  const { journal, source, target } = migration
  if (journal.begun('transfer')) {
    const there = await source.step('facts', {}, { timeoutMs: FACTS_MS, signal: migration.signal })
    if (!there.known) return doubt(source, there.reason, 'the process may be frozen there')
    if (there.marks.has('dumped') && there.facts.get('lost') === '1') {
      const copy = await target.step('facts', {}, { timeoutMs: FACTS_MS, signal: migration.signal })
      if (!copy.known) return doubt(target, copy.reason, `the process is gone from ${source.host.name}`)
      if (copy.facts.get('images') === 'whole') {
        await journal.write({ event: 'commit' })
        return await forward(migration)
      }
    }
  }
  return await back(migration, reason)
}

/** Undoes what was begun: first where the process is. */
async function back(migration: Migration, reason: string): Promise<Settlement> {
  const { journal, source, target, plan } = migration
  const limits = { timeoutMs: UNDO_MS, signal: migration.signal }
  let process = 'running'
  let kept = ''
  const undone: ('source' | 'target')[] = []
  if (journal.begun('claim')) {
    const end = await source.step('undo', {}, limits)
    if (end.known && end.status === STEP.tooLate) {
      // Somebody has told the source to end the process, which is only done after the commit: so it was decided.
      await journal.write({ event: 'commit' })
      return await forward(migration)
    }
    if (end.known && end.status === STEP.done) {
      process = end.facts.get('process') ?? 'gone'
      if (end.facts.has('kept')) kept = `; its images are in ${end.facts.get('kept')} there`
      undone.push('source')
    } else if (journal.begun('transfer')) {
      return doubt(source, whyOf(end), 'the process may be frozen there')
    }
  }
  const there = journal.begun('reserve') ? await target.step('undo', {}, limits) : undefined
  if (!there || (there.known && there.status === STEP.done)) undone.push('target')
  const pending = (['source', 'target'] as const).filter(
    (end) => !undone.includes(end) && journal.begun(end === 'source' ? 'claim' : 'reserve'),
  )
  const name = `PID ${plan.process.pid}`
  if (process === 'torn')
    return await over(
      migration,
      'gone',
      `${name} has lost a part of itself on ${source.host.name} while it was frozen${kept}`,
      pending,
    )
  if (process === 'gone')
    return await over(migration, 'gone', `${name} has ended on ${source.host.name}${kept}`, pending)
  return await over(migration, 'back', reason, pending)
}

/** After the commit: the original is ended, and the copy goes on. */
export async function forward(migration: Migration): Promise<Settlement> {
  const { journal, plan, target } = migration
  for (const step of FROM_COMMIT) {
    if (journal.done(step.name)) continue
    try {
      await take(step, migration)
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error
      const answer = await amend(step.name, error, migration)
      if (answer !== 'again') return answer
      return await forward(migration)
    }
  }
  const { pending, kept } = await finish(migration)
  const images = kept === undefined ? '' : `; its images are in ${kept} there`
  const detail = `it runs on ${target.host.name} as PID ${plan.process.pid}${images}`
  return await over(migration, 'moved', detail, pending)
}

/** What to do when a step after the commit was not done. */
async function amend(step: string, error: StepFailed, migration: Migration): Promise<Settlement | 'again'> {
  const { journal, plan, target, signal } = migration
  if (step === 'kill' && error.status === STEP.hasRun) {
    await journal.write({ event: 'uncommit', reason: error.message })
    return await back(migration, error.message)
  }
  if (step === 'continue' && (error.status === STEP.fenced || error.status === STEP.gone)) {
    // Its machine was restarted, or something ended it, before it was continued: its images are still there.
    const end = await target.step('restore', { FORWARD: '1' }, { timeoutMs: RESTORE_MS, signal })
    if (end.known && end.status === STEP.done) return 'again'
    return {
      kind: 'doubt',
      detail: `${target.host.name}: the process can't be restored again: ${whyOf(end)}`,
    }
  }
  if (step === 'continue' && error.status === STEP.tooLate) {
    const { name } = target.host
    return {
      kind: 'doubt',
      detail: `the process was continued on ${name}, which was restarted since: it may have run on, and is gone; its images are still there`,
      decide: `to let it go on from them: ssh ${name} sudo criu restore -D ${FOLDER}/${plan.id}/in/images ${criuWords(plan.criu ?? {}).restore}; when it need not: just migrate-recover --forget ${plan.id}`,
    }
  }
  return { kind: 'doubt', detail: error.message }
}

/** The claim and the images are no longer needed. @returns where that is still to be done, and what was to be kept */
async function finish({
  source,
  target,
  signal,
  watch,
}: Migration): Promise<{ pending: ('source' | 'target')[]; kept: string | undefined }> {
  await watch.step?.('finish')
  const limits = { timeoutMs: FACTS_MS, signal }
  const ends = await Promise.all([source.step('finish', {}, limits), target.step('finish', {}, limits)])
  const pending = (['source', 'target'] as const).filter((_, index) => !isOver(ends[index]))
  return { pending, kept: ends[1].known ? ends[1].facts.get('kept') : undefined }
}

/** What is left on machines that could not be reached. */
async function sweep(migration: Migration): Promise<Settlement> {
  const { journal, source, target } = migration
  const { over: ended } = journal
  if (!ended) throw new RangeError('a migration is swept when it is over')
  const step = ended.outcome === 'moved' ? 'finish' : 'undo'
  const limits = { timeoutMs: UNDO_MS, signal: migration.signal }
  const left: string[] = []
  for (const end of ended.sweep) {
    const machine = end === 'source' ? source : target
    if (!isOver(await machine.step(step, {}, limits))) left.push(machine.host.name)
  }
  if (left.length > 0)
    return { kind: ended.outcome, detail: `${ended.detail}; to be swept: ${left.join(', ')}` }
  await journal.close()
  return { kind: ended.outcome, detail: ended.detail }
}

/** Done there, or nothing of it is there any more. */
function isOver(end: StepEnd | undefined): boolean {
  return end !== undefined && end.known && (end.status === STEP.done || end.facts.has('absent'))
}

async function over(
  { journal }: Migration,
  outcome: NonNullable<Journal['over']>['outcome'],
  detail: string,
  pending: ('source' | 'target')[],
): Promise<Settlement> {
  await journal.write({ event: 'over', outcome, detail, sweep: pending })
  if (pending.length === 0) await journal.close()
  return { kind: outcome, detail }
}

function doubt(machine: Machine, reason: string, consequence: string): Settlement {
  return { kind: 'doubt', detail: `${machine.host.name} can't be asked (${reason}): ${consequence}` }
}

function whyOf(end: StepEnd): string {
  return end.known ? end.why : end.reason
}
