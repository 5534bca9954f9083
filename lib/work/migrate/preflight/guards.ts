import { guard, type Session } from '../../../machine/guard.ts'
import type { SourceFacts, TaskFacts } from '../facts/facts.ts'
import type { Refusal } from '../facts/refusal.ts'
import { who } from './words.ts'

/** What must not be touched, whoever asks; the last reason, another user's process, falls to `force`. */
export function guarded({ tree, line, uid }: SourceFacts, force: boolean): Refusal[] {
  const session = { uid, line: new Set(line) }
  for (const task of tree) {
    const sentence = guard(live(task), session, force)
    if (sentence !== undefined) return [{ code: codeOf(task, session), sentence, at: 'source' }]
  }
  return []
}

function codeOf(task: TaskFacts, session: Session): string {
  if (task.pid === 1) return 'first-process'
  if (task.kernel) return 'kernel-thread'
  if (session.line.has(task.pid)) return 'own-session'
  return guard(live(task), session, true) === undefined ? 'other-user' : 'sshd'
}

function live({ pid, parent, uid, command, kernel, startTicks, state }: TaskFacts) {
  return { pid, parent, uid, command, kernel, start: String(startTicks), stopped: /[Tt]/.test(state) }
}

/** A process that has ended, but for its entry. */
export function ended({ tree: [task] }: SourceFacts): Refusal[] {
  if (task.state !== 'Z') return []
  return [{ code: 'no-process', sentence: `${who(task)} has ended and waits for its parent`, at: 'source' }]
}
