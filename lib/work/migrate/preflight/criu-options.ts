import { z } from 'zod'

/**
 * What criu carries along only because it is told that it may. The preflight decides each of them from the facts of both
 * machines, the plan keeps them, and with it the journal: a recovery restores by the same ones.
 */
export const CriuOptions = z.strictObject({
  /** Locks on files: they hold there, and no longer here. */
  fileLocks: z.literal(true).exactOptional(),
  /** Files without a name go along up to this size. Bytes. */
  ghostLimitBytes: z.int().positive().exactOptional(),
  /** Connections are closed when the process goes on at the target. */
  tcpClose: z.literal(true).exactOptional(),
  /** It is in the session of a shell that stays here: at the target it is in that of its new terminal. */
  shellJob: z.literal(true).exactOptional(),
  /** The leader of its session or group has ended, or stays here: at the target it is in a session without one. */
  lostSession: z.literal(true).exactOptional(),
  /** It leads the session of its terminal, whose device and file system have these numbers here, in hexadecimal. */
  terminalDevice: z
    .string()
    .regex(/^[0-9a-f]{1,8}:[0-9a-f]{1,8}$/)
    .exactOptional(),
})
export type CriuOptions = z.infer<typeof CriuOptions>

/**
 * What `criu dump` and `criu restore` are called with besides what they always are: words with blanks between them, which
 * a shell may take apart but not look for as names of files.
 */
export function criuWords({
  fileLocks,
  ghostLimitBytes,
  tcpClose,
  shellJob,
  lostSession,
  terminalDevice,
}: CriuOptions): {
  dump: string
  restore: string
} {
  const both = [fileLocks ? ['--file-locks'] : [], tcpClose ? ['--tcp-close'] : []].flat()
  const ghosts = ghostLimitBytes === undefined ? [] : ['--ghost-limit', String(ghostLimitBytes)]
  // Connections that nobody has accepted yet.
  const waiting = tcpClose ? ['--skip-in-flight'] : []
  const dump = [...both, ...waiting, ...ghosts]
  const restore = [...both]
  if (shellJob) {
    dump.push('--shell-job')
    restore.push('--shell-job')
  }
  if (terminalDevice !== undefined) {
    dump.push('--external', `tty[${terminalDevice}]`)
    restore.push('--inherit-fd', `fd[0]:tty[${terminalDevice}]`)
  }
  // As criu's own child it would be woken by the kernel when criu ends: see terminal.py.
  if (shellJob || terminalDevice !== undefined) restore.push('--restore-sibling')
  if (lostSession) {
    dump.push('--shell-job')
    restore.push('--shell-job')
  }
  // The kernel wakes a stopped group (SIGHUP, SIGCONT) when the last one ends who is in its session and above it: so criu
  // becomes a program that leaves the session before it ends. Otherwise it ends by itself, having detached.
  restore.push(...(lostSession ? ['--exec-cmd', '--', 'setsid', 'true'] : ['--restore-detached']))
  return { dump: dump.join(' '), restore: restore.join(' ') }
}
