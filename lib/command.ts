import { execa } from 'execa'

export type Command = {
  file: string
  args: readonly string[]
  /** For its standard input; without it, the command reads nothing. */
  input?: string
}

export type Limits = {
  /** After so long it is told to end, and killed shortly after that. */
  timeoutMs: number
  signal: AbortSignal
}

export type Ended = {
  stdout: string
  stderr: string
  /** Undefined when it was killed or could not be started. */
  exitCode: number | undefined
  timedOut: boolean
  /** There is no such command. */
  missing: boolean
}

const KILL_AFTER_MS = 300
const PIPES_AFTER_MS = 200
const MAX_OUTPUT_CHARACTERS = 16_000_000

/**
 * Runs a command to its end, without a shell, and reaps it.
 *
 * @throws the signal's reason once it is aborted and the command is gone; nothing else, whatever the command does
 */
export async function run({ file, args, input }: Command, { timeoutMs, signal }: Limits): Promise<Ended> {
  signal.throwIfAborted()
  const child = execa(file, args, {
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    timeout: Math.max(1, Math.ceil(timeoutMs)),
    cancelSignal: signal,
    forceKillAfterDelay: KILL_AFTER_MS,
    maxBuffer: MAX_OUTPUT_CHARACTERS,
    stripFinalNewline: false,
    reject: false,
  })
  // What the command started may outlive it and hold its pipes open.
  const closePipes = () => [child.stdout, child.stderr].forEach((pipe) => pipe?.destroy())
  child.once('exit', () => setTimeout(closePipes, PIPES_AFTER_MS).unref())
  const { stdout, stderr, exitCode, timedOut, code } = await child
  signal.throwIfAborted()
  return { stdout, stderr, exitCode, timedOut, missing: code === 'ENOENT' }
}
