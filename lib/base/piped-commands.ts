import { PassThrough, type Transform } from 'node:stream'
import { finished } from 'node:stream/promises'
import { execa } from 'execa'
import {
  killGroup,
  MAX_OUTPUT_CHARACTERS,
  KILL_AFTER_MS,
  type Command,
  type Ended,
  type Limits,
} from './command.ts'
import { commandsStarted } from './commands-started.ts'

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
  // Once the second command has ended nobody reads any more, so the first one is stopped.
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
