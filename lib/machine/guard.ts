import { plain } from '../base/text.ts'
import type { LiveProcess } from './live-processes.ts'

/** Who asks: the user, and the processes from this program up to PID 1. */
export type Session = { uid: number; line: ReadonlySet<number> }

/**
 * Why nothing may be done to a process; undefined when it may.
 *
 * @param force does away with the last reason, another user's process, and with no other
 */
export function guard(target: LiveProcess, session: Session, force: boolean): string | undefined {
  const name = `PID ${target.pid} (${plain(target.command, 40)})`
  if (target.pid === 1) return `${name} is the first process of the machine`
  if (target.kernel) return `${name} is a thread of the kernel`
  if (session.line.has(target.pid)) return `${name} is this program or what it was started from`
  if (/(?:^|\/)sshd(?:-session|-auth)?(?::|$)/.test(target.command))
    return `${name} is the ssh server: you may be cut off`
  if (target.uid !== session.uid && !force)
    return `${name} belongs to another user (uid ${target.uid}): say --force if you mean it`
  return undefined
}
