import { spawn } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { commandsStarted } from './commands-started.ts'

// By Node's own child_process: execa costs 4 ms of a CPU more for each command, and is slower to load than all else that
// most recipes need. A mesh of 63 machines is 63 commands, and cron starts this program each minute. What pipes one
// command into another is done by execa (piped-commands.ts).

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

export const KILL_AFTER_MS = 300
const PIPES_AFTER_MS = 200
export const MAX_OUTPUT_CHARACTERS = 16_000_000

/**
 * Runs a command to its end, without a shell, and reaps it. It has a process group of its own: Ctrl-C at the terminal
 * reaches this program alone, which ends the command and does not take its end for an answer; and what the command has
 * started is killed with it when its time is up.
 *
 * @throws the signal's reason once it is aborted and the command is gone; nothing else, whatever the command does
 */
export async function run(command: Command, { timeoutMs, signal, maxOutput }: Limits): Promise<Ended> {
  signal.throwIfAborted()
  const running = start(command, { open: command.input !== undefined, maxOutput })
  if (command.input !== undefined) running.finish(command.input)
  const ended = await within(running, { timeoutMs, signal, end: running.end })
  if (ended.timedOut || signal.aborted) killGroup(running.pid)
  signal.throwIfAborted()
  return ended
}

type Running = {
  pid: number | undefined
  write: (input: string) => void
  /** Gives it the last of its input. */
  finish: (input: string) => void
  /** Tells it to end, and kills it where it does not. */
  end: () => void
  ended: Promise<Omit<Ended, 'timedOut'>>
}

/** Waits for its end, which `end` brings about when its time is up or the signal is aborted. */
async function within(
  { ended }: Running,
  { timeoutMs, signal, end }: Limits & { end: () => void },
): Promise<Ended> {
  let timedOut = false
  const timer = setTimeout(
    () => {
      timedOut = true
      end()
    },
    Math.max(1, Math.ceil(timeoutMs)),
  )
  // As many commands as there are machines heed one signal.
  setMaxListeners(0, signal)
  signal.addEventListener('abort', end)
  const how = await ended
  clearTimeout(timer)
  signal.removeEventListener('abort', end)
  return { ...how, timedOut }
}

/** @param open whether its input stays open until `finish`; else it has none */
function start(
  { file, args, env = {}, bytes = false }: Command,
  { open, maxOutput = MAX_OUTPUT_CHARACTERS }: { open: boolean; maxOutput?: number | undefined },
): Running {
  commandsStarted.publish({ file, args })
  const child = spawned(file, args, open, { ...process.env, ...env })
  // An argument that no program can be given: longer than the system takes, or with a NUL in it.
  if (!child) return NOT_STARTED
  const { stdin, stdout, stderr } = child
  const encoding = bytes ? 'latin1' : 'utf8'
  let tooMuch = false
  let killing: NodeJS.Timeout | undefined
  const end = () => {
    child.kill('SIGTERM')
    killing ??= setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
  }
  const [out, err] = [stdout, stderr].map((stream) =>
    collect(stream, encoding, maxOutput, () => {
      tooMuch = true
      end()
    }),
  )
  // It may end before it has read everything; how it ended says more.
  stdin?.on('error', () => undefined)
  // What the command started may outlive it and hold its pipes open.
  const closePipes = () => [stdout, stderr].forEach((pipe) => pipe?.destroy())
  child.once('exit', () => setTimeout(closePipes, PIPES_AFTER_MS).unref())
  const ended = new Promise<Omit<Ended, 'timedOut'>>((resolve) => {
    const over = (exitCode: number | null, missing = false) => {
      clearTimeout(killing)
      resolve({
        stdout: out?.() ?? '',
        stderr: err?.() ?? '',
        exitCode: exitCode ?? undefined,
        missing,
        tooMuch,
      })
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) over(null, error.code === 'ENOENT')
    })
    child.once('close', (exitCode) => over(exitCode))
  })
  return {
    pid: child.pid,
    write: (input) => void stdin?.write(input, encoding),
    finish: (input) => void stdin?.end(input, encoding),
    end,
    ended,
  }
}

const NOT_STARTED: Running = {
  pid: undefined,
  write: () => undefined,
  finish: () => undefined,
  end: () => undefined,
  ended: Promise.resolve({ stdout: '', stderr: '', exitCode: undefined, missing: false, tooMuch: false }),
}

function spawned(file: string, args: readonly string[], open: boolean, env: NodeJS.ProcessEnv) {
  try {
    return spawn(file, args, { stdio: [open ? 'pipe' : 'ignore', 'pipe', 'pipe'], env, detached: true })
  } catch {
    return undefined
  }
}

/** Reads a stream to its end, and keeps so many characters. @returns what there is of it by now */
function collect(
  stream: Readable | null,
  encoding: 'utf8' | 'latin1',
  most: number,
  tooMuch: () => void,
): () => string {
  let text = ''
  stream?.setEncoding(encoding).on('data', (more: string) => {
    if (text.length + more.length > most) tooMuch()
    text = (text + more).slice(0, most)
  })
  return () => text
}

/**
 * Runs a command that has the terminal of this program until it ends: what is typed there, Ctrl-C too, is the command's.
 *
 * @returns its exit code; undefined where there is no such command, or a signal has ended it
 */
export async function runAtTerminal({
  file,
  args,
}: Pick<Command, 'file' | 'args'>): Promise<number | undefined> {
  commandsStarted.publish({ file, args })
  const child = spawn(file, args, { stdio: 'inherit' })
  // Nobody else would end it, and it has the terminal.
  const end = () => child.kill()
  process.once('exit', end)
  return await new Promise<number | undefined>((resolve) => {
    child.once('error', () => resolve(undefined))
    child.once('close', (exitCode) => resolve(exitCode ?? undefined))
  }).finally(() => process.off('exit', end))
}

/** Kills what is left of a command's group, which is there for as long as one of its processes is. */
export function killGroup(pid: number | undefined): void {
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
export function startWaiting({ input = '', ...command }: Command): Waiting {
  const running = start(command, { open: true })
  running.write(input)
  return {
    go: async (more, { timeoutMs, signal }) => {
      signal.throwIfAborted()
      running.finish(more)
      const ended = await within(running, { timeoutMs, signal, end: () => killGroup(running.pid) })
      signal.throwIfAborted()
      return ended
    },
    cancel: () => running.finish(''),
  }
}

/** Starts a command in a session of its own that outlives this program; it reads and prints nothing. */
export function startDetached({ file, args }: Pick<Command, 'file' | 'args'>): void {
  commandsStarted.publish({ file, args })
  const child = spawn(file, args, { detached: true, stdio: 'ignore' })
  // Who starts it looks for what it does.
  child.on('error', () => undefined)
  child.unref()
}
