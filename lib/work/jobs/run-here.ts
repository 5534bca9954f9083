import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { plain } from '../../base/text.ts'
import type { Work } from './job.ts'

/** execvp's, as a shell tells them. */
const [NOT_RUNNABLE, NOT_FOUND] = [126, 127]

/** The exit status of a command that ran here; `failed` when it could not be begun. */
export type RanHere = { exitCode: number; failed?: string }

/**
 * Runs a command here, as the shell would: a terminal's Ctrl-C reaches it as it reaches this program.
 *
 * @throws the signal's reason, once the command was told to end
 */
export async function runHere(
  { argv: [command, ...args], cwd }: Pick<Work, 'argv' | 'cwd'>,
  signal: AbortSignal,
): Promise<RanHere> {
  const child = spawn(command, args, { stdio: 'inherit', ...(cwd === '' ? {} : { cwd }) })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, ending) => resolve(code ?? 128 + (ending ? constants.signals[ending] : 0)))
    })
    signal.throwIfAborted()
    return { exitCode }
  } catch (error) {
    signal.throwIfAborted()
    const reason = error instanceof Error && 'code' in error ? error.code : undefined
    if (reason === 'ENOENT') return { exitCode: NOT_FOUND, failed: `${plain(command)}: not found` }
    if (reason === 'EACCES') return { exitCode: NOT_RUNNABLE, failed: `${plain(command)}: can not be run` }
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
