import { constants } from 'node:os'
import { execa } from 'execa'
import { LabError } from './error.ts'
import { readHostRecord } from './host-record.ts'
import { type HostLayout, repositoryInside } from './layout.ts'
import { isAlive } from './processes.ts'
import { toolPath } from './run.ts'

export interface ExecOptions {
  /** Default `root`; `operator` is uid 1000 with sudo. */
  readonly user?: 'root' | 'operator'
  /** Default: the user's home. */
  readonly cwd?: string
  /** Added to PATH, HOME, USER, LOGNAME, SHELL and LANG; nothing of this machine's environment gets in. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Default 60 s for `exec`, none for `spawn`. */
  readonly timeoutMs?: number
}

export interface ExecResult {
  /** Without its final newline. */
  readonly stdout: string
  readonly stderr: string
  /** 128 + number for a command that a signal ended, 124 after the deadline. */
  readonly exitCode: number
}

/** What ssh, cron and login shells of a host have too; `setup.sh` writes it there. */
const pathInside = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${repositoryInside}/node_modules/.bin`

const environment = (options: ExecOptions): string[] => {
  const user = options.user ?? 'root'
  const home = user === 'root' ? '/root' : `/home/${user}`
  const all = { PATH: pathInside, HOME: home, USER: user, LOGNAME: user, SHELL: '/bin/bash', LANG: 'C.UTF-8' }
  const pairs = Object.entries({ ...all, ...options.env }).map(([name, value]) => `${name}=${value}`)
  return ['/opt/lab/bin/env', '-i', '-C', options.cwd ?? home, ...pairs]
}

/**
 * The argv that runs a command inside a host.
 *
 * nsenter must fork to enter a PID namespace and does not hand on signals. With `forward`, timeout(1) without a
 * deadline does that fork instead: it stays outside, hands on every signal and passes the exit status through,
 * and the command gets a session of its own. Without it the command stays in the caller's process group, where a
 * terminal's Ctrl-C reaches it directly. Either way the command dies with the process that waits for it.
 */
export const enterArgv = async (
  host: HostLayout,
  argv: readonly string[],
  options: ExecOptions & { readonly forward: boolean },
): Promise<readonly string[]> => {
  const record = await readHostRecord(host)
  if (record === undefined || !(await isAlive(record.init))) throw new LabError(`${host.name} is not running`)
  const namespaces = ['--mount', '--net', '--pid', '--uts', '--ipc']
  const user = options.user ?? 'root'
  const identity = user === 'root' ? [] : ['--reuid', user, '--regid', user, '--init-groups']
  return [
    [
      'nsenter',
      '--target',
      String(record.init.pid),
      ...namespaces,
      ...(options.forward ? ['--no-fork'] : []),
      '--',
    ],
    options.forward ? ['/opt/lab/bin/timeout', '--foreground', '0', '/opt/lab/bin/setsid'] : [],
    ['/opt/lab/bin/setpriv', ...identity, '--pdeathsig', 'KILL', '--'],
    environment(options),
    argv,
  ].flat()
}

const start = ([file, ...args]: readonly string[], timeoutMs: number) =>
  execa(file ?? '', args, {
    reject: false,
    stdin: 'pipe',
    extendEnv: false,
    env: { PATH: toolPath },
    forceKillAfterDelay: 2000,
    timeout: timeoutMs,
  })

/** A running command inside a host; `kill(signal)` reaches the command itself. */
export type HostProcess = ReturnType<typeof start>

export const spawnIn = async (
  host: HostLayout,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<{ process: HostProcess }> => {
  const entered = await enterArgv(host, argv, { ...options, forward: true })
  // Wrapped, because the process is itself a promise and an async function would wait for its end.
  return { process: start(entered, options.timeoutMs ?? 0) }
}

export const execIn = async (
  host: HostLayout,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> => {
  const { process: child } = await spawnIn(host, argv, { timeoutMs: 60_000, ...options })
  child.stdin.on('error', () => {
    // A command that reads nothing may end before its input is written; its status says how it went.
  })
  child.stdin.end(options.input ?? '')
  const result = await child
  const bySignal = result.signal === undefined ? undefined : 128 + constants.signals[result.signal]
  const exitCode = result.timedOut ? 124 : (result.exitCode ?? bySignal ?? 1)
  return { stdout: result.stdout, stderr: result.stderr, exitCode }
}

/**
 * Runs a command of a host on this process's own standard streams and returns its exit status. On a terminal Ctrl-C
 * reaches it because it is in the terminal's process group; elsewhere the signals this process gets are handed on.
 */
export const attachTo = async (
  host: HostLayout,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<number> => {
  const terminal = process.stdin.isTTY
  const term = process.env['TERM']
  const env = { ...(term === undefined ? {} : { TERM: term }), ...options.env }
  const [file, ...args] = await enterArgv(host, argv, { ...options, env, forward: !terminal })
  const child = execa(file ?? '', args, {
    reject: false,
    stdio: 'inherit',
    detached: !terminal,
    extendEnv: false,
    env: { PATH: toolPath },
  })
  const handOn = (signal: NodeJS.Signals): void => {
    if (!terminal) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
  for (const signal of signals) process.on(signal, handOn)
  const result = await child
  for (const signal of signals) process.off(signal, handOn)
  return result.exitCode ?? (result.signal === undefined ? 1 : 128 + constants.signals[result.signal])
}
