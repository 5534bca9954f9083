import type { Journal } from './journal.ts'

/** A migration that is not over everywhere, as it is listed. */
export type State = {
  id: string
  pid: number
  command: string
  from: string
  to: string
  /** `under way` while somebody sees to it; `to be swept` when only something that is left has to go. */
  state: 'under way' | 'in doubt' | 'to be swept'
  detail: string
  at: string
}

export async function stateOf(journal: Journal): Promise<State> {
  const { plan, over, entries } = journal
  const lock = over ? undefined : await journal.lock()
  await lock?.release()
  const last = entries.at(-1)
  return {
    id: plan.id,
    pid: plan.process.pid,
    command: plan.process.command,
    from: plan.source.name,
    to: plan.target.name,
    state: over ? 'to be swept' : lock ? 'in doubt' : 'under way',
    detail: over?.detail ?? (last?.event === 'doubt' ? last.reason : ''),
    at: last?.at ?? '',
  }
}
