import { PassThrough, type Transform } from 'node:stream'
import { finished } from 'node:stream/promises'
import { execa } from 'execa'
import { commandsStarted } from './commands-started.ts'

export type Command = {
  file: string
  args: readonly string[]
  /** For its standard input; without it, the command reads nothing. */
  input?: string
  /** Added to this program's own environment. */
  env?: Readonly<Record<string, string>>
  /** Input and output are bytes, one a character (latin1): what is not UTF-8 comes through as it is. */
  bytes?: boolean
}

export type Limits = {
  /** After so long it is told to end, and killed shortly after that. */
  timeoutMs: number
  signal: AbortSignal
  /** It is ended when it prints more than so many characters (16 million). */
  maxOutput?: number
}

export type Ended = {
  stdout: string
  stderr: string
  /** Undefined when it was killed or could not be started. */
  exitCode: number | undefined
  timedOut: boolean
  /** There is no such command. */
  missing: boolean
  /** It printed more than it may; what is here is the beginning. */
  tooMuch: boolean
}

const KILL_AFTER_MS = 300
const PIPES_AFTER_MS = 200
const MAX_OUTPUT_CHARACTERS = 16_000_000

/**
 * Runs a command to its end, without a shell, and reaps it. It has a process group of its own: Ctrl-C at the terminal
 * reaches this program alone, which ends the command and does not take its end for an answer; and what the command has
 * started is killed with it when its time is up.
 *
 * @throws the signal's reason once it is aborted and the command is gone; nothing else, whatever the command does
 */
export async function run(command: Command, limits: Limits): Promise<Ended> {
  const { timeoutMs, signal, maxOutput = MAX_OUTPUT_CHARACTERS } = limits
  const { file, args, input, env = {}, bytes = false } = command
  signal.throwIfAborted()
  commandsStarted.publish({ file, args })
  const child = execa(file, args, {
    ...(input === undefined
      ? { stdin: 'ignore' as const }
      : { input: bytes ? Buffer.from(input, 'latin1') : input }),
    env,
    encoding: bytes ? 'latin1' : 'utf8',
    detached: true,
    timeout: Math.max(1, Math.ceil(timeoutMs)),
    cancelSignal: signal,
    forceKillAfterDelay: KILL_AFTER_MS,
    maxBuffer: maxOutput,
    stripFinalNewline: false,
    reject: false,
  })
  // What the command started may outlive it and hold its pipes open.
  const closePipes = () => [child.stdout, child.stderr].forEach((pipe) => pipe?.destroy())
  child.once('exit', () => setTimeout(closePipes, PIPES_AFTER_MS).unref())
  const result = await child
  if (result.timedOut || signal.aborted) killGroup(child.pid)
  signal.throwIfAborted()
  return endedAs(result, result.stdout)
}

/**
 * Runs two commands, the first one's output being the second one's input, after the second one's own `input`. When the
 * first fails, the second is told to end before it could take what came for the whole.
 *
 * @param through what the bytes pass through on their way; when it fails, so does the second command
 * @throws the signal's reason once it is aborted and both are gone
 */
export async function runPiped(
  from: Pick<Command, 'file' | 'args' | 'env' | 'input'>,
  to: Pick<Command, 'file' | 'args' | 'env' | 'input'>,
  { timeoutMs, signal }: Limits,
  through: Transform = new PassThrough(),
): Promise<[Ended, Ended]> {
  signal.throwIfAborted()
  const options = {
    timeout: Math.max(1, Math.ceil(timeoutMs)),
    cancelSignal: signal,
    forceKillAfterDelay: KILL_AFTER_MS,
    maxBuffer: MAX_OUTPUT_CHARACTERS,
    stripFinalNewline: false,
    reject: false,
  } as const
  for (const { file, args } of [from, to]) commandsStarted.publish({ file, args })
  // Each is a group: what it has started ends with it, and holds no pipe open.
  const source = execa(from.file, from.args, {
    ...options,
    detached: true,
    env: from.env ?? {},
    ...(from.input === undefined ? { stdin: 'ignore' as const } : { input: from.input }),
    buffer: { stdout: false },
  })
  const sink = execa(to.file, to.args, { ...options, detached: true, env: to.env ?? {}, stdin: 'pipe' })
  const stop = (child: typeof source | typeof sink) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    killGroup(child.pid)
    child.stdout.destroy()
  }
  // Nobody reads any more.
  sink.once('exit', () => {
    through.destroy()
    stop(source)
  })
  sink.stdin.on('error', () => stop(source))
  sink.stdin.write(to.input ?? '')
  through.on('error', () => [source, sink].forEach((child) => stop(child)))
  source.stdout.pipe(through).pipe(sink.stdin, { end: false })
  const passed = finished(through).then(
    () => true,
    () => false,
  )
  const first = await source
  if (first.failed || !(await passed)) stop(sink)
  else sink.stdin.end()
  const second = await sink
  if (signal.aborted) [source, sink].forEach((child) => killGroup(child.pid))
  signal.throwIfAborted()
  return [endedAs(first, ''), endedAs(second, second.stdout)]
}

type Result = {
  stderr: string
  exitCode?: number
  timedOut: boolean
  code?: string | undefined
  isMaxBuffer: boolean
}

function endedAs(result: Result, stdout: string): Ended {
  const { stderr, exitCode, timedOut, code, isMaxBuffer } = result
  return { stdout, stderr, exitCode, timedOut, missing: code === 'ENOENT', tooMuch: isMaxBuffer }
}

/** A group is there, under its first process's number, for as long as one of its processes is. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left of it.
  }
}

/** A command that runs already and waits for more on its standard input. */
export type Waiting = {
  /** Gives it the rest of its input, and waits for its end as `run` does. */
  go: (input: string, limits: Limits) => Promise<Ended>
  /** Ends its input: there will be no more. */
  cancel: () => void
}

/** Starts a command that reads `input` at once and the rest later. */
export function startWaiting({ file, args, input = '', env = {} }: Command): Waiting {
  commandsStarted.publish({ file, args })
  const child = execa(file, args, {
    stdin: 'pipe',
    env,
    detached: true,
    maxBuffer: MAX_OUTPUT_CHARACTERS,
    stripFinalNewline: false,
    reject: false,
  })
  child.stdin.on('error', () => undefined)
  child.stdin.write(input)
  return {
    go: async (more, { timeoutMs, signal }) => {
      signal.throwIfAborted()
      child.stdin.end(more)
      let timedOut = false
      const end = () => killGroup(child.pid)
      const timer = setTimeout(() => {
        timedOut = true
        end()
      }, timeoutMs)
      signal.addEventListener('abort', end)
      const result = await child
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      signal.throwIfAborted()
      return { ...endedAs(result, result.stdout), timedOut }
    },
    cancel: () => {
      child.stdin.end()
    },
  }
}

/** Starts a command in a session of its own that outlives this program; it reads and prints nothing. */
export function startDetached({ file, args }: Pick<Command, 'file' | 'args'>): void {
  commandsStarted.publish({ file, args })
  const child = execa(file, args, { detached: true, cleanup: false, stdio: 'ignore', reject: false })
  child.unref()
}
