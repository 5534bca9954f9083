import { Failure } from '../../base/errors.ts'
import type { Reach } from '../../mesh/remote/host.ts'
import type { Journal } from './journal.ts'
import { Machine, STEP, type Gate, type StepEnd } from './machine.ts'
import type { MigrationPlan } from './plan.ts'

/** What a migration needs while it is carried out, and those who want to know how it goes. */
export type Migration = {
  plan: MigrationPlan
  journal: Journal
  reach: Reach
  source: Machine
  target: Machine
  /** When it is aborted, this side stops waiting for the other machines; what has begun there goes on. */
  signal: AbortSignal
  watch: Watch
  /** Steps that are ready to be taken. */
  gates: { kill?: Gate; continue?: Gate }
}

export type Watch = {
  /** A step is about to be taken. */
  step?: (name: string) => Promise<void> | void
  /** So many bytes more have been sent. The process stands still from the first ones on; a zero says that all have gone. */
  moved?: (bytes: number) => void
}

export function migrationOf(
  journal: Journal,
  reach: Reach,
  signal: AbortSignal,
  watch: Watch = {},
): Migration {
  const { plan } = journal
  return {
    plan,
    journal,
    reach,
    source: new Machine(plan.source, 'source', plan, reach),
    target: new Machine(plan.target, 'target', plan, reach),
    signal,
    watch,
    gates: {},
  }
}

/** A step was not taken, or was taken and has failed. Before the commit, what came before it can be undone. */
export class StepFailed extends Failure {
  override name = 'StepFailed'
  /** How it ended; undefined when nobody knows whether it was taken. */
  readonly status: number | undefined

  constructor(message: string, status: number | undefined) {
    super(message)
    this.status = status
  }
}

/** What a step found out, where it was done. @throws StepFailed where it was not, or nobody knows */
export function done(machine: Machine, what: string, end: StepEnd): Extract<StepEnd, { known: true }> {
  if (end.known && end.status === STEP.done) return end
  const why = end.known ? reasonOf(end) : end.reason
  throw new StepFailed(`${machine.host.name}: ${what}: ${why}`, end.known ? end.status : undefined)
}

function reasonOf({ status, facts, why }: Extract<StepEnd, { known: true }>): string {
  const claimed = facts.get('claimed')
  if (claimed !== undefined) return `another migration (${claimed}) has it: see just migrations`
  if (facts.has('absent') || status === STEP.fenced) return 'the migration has been ended there'
  if (status === STEP.gone) return 'the process has ended'
  const closed = facts.get('closed')
  if (closed !== undefined) return `it is closed to work${closed === '' ? '' : ` (${closed})`}`
  const [owner, seconds] = facts.get('reserved')?.split(' ') ?? []
  if (owner !== undefined) return `it is reserved for ${owner}, for ${seconds} s more`
  const arrived = facts.get('arrived')
  if (arrived !== undefined)
    return `work has arrived there ${arrived.split(' ')[0]} s ago: its load does not show it yet`
  return why
}
