import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { commandsStarted } from './commands-started.ts'

export type Streamed = {
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /** Fulfilled when it has ended and its output has been read. */
  ended: Promise<{ exitCode: number | undefined; missing: boolean }>
  kill: () => void
}

const STDERR_AFTER_MS = 500

/**
 * Starts a command whose input and output pass through as they come, in a process group of its own: a terminal's Ctrl-C
 * reaches this program alone.
 */
export function startStreaming({ file, args }: { file: string; args: readonly string[] }): Streamed {
  commandsStarted.publish({ file, args })
  const child = spawn(file, args, { stdio: 'pipe', detached: true })
  // It may end before it has read everything; how it ended says more.
  child.stdin.on('error', () => {})
  // A connection that ssh keeps for later may hold this one open.
  child.once('exit', () => setTimeout(() => child.stderr.destroy(), STDERR_AFTER_MS).unref())
  const ended = new Promise<{ exitCode: number | undefined; missing: boolean }>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ exitCode: undefined, missing: error.code === 'ENOENT' }),
    )
    child.once('close', (exitCode) => resolve({ exitCode: exitCode ?? undefined, missing: false }))
  })
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    kill: () => child.kill('SIGKILL'),
  }
}
