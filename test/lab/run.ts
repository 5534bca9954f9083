import { delimiter } from 'node:path'
import { execa } from 'execa'
import { LabError } from './error.ts'

/** Receives one line of progress. Library files never print. */
export type Log = (line: string) => void

/** Where the lab looks for tools: a root shell from su or cron often lacks the sbin folders. */
export const toolPath = [process.env['PATH'], '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  .filter((part) => part !== undefined && part !== '')
  .join(delimiter)

/** Put before a command that must not go on when this process is killed, half-way through a long piece of work. */
export const tied = ['setpriv', '--pdeathsig', 'KILL', '--'] as const

/** How a command of the machine itself (not of a lab host) is run. */
export interface RunOptions {
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  readonly signal?: AbortSignal
}

/** Runs argv, without a shell, and returns its standard output; a failure names the command and its last words. */
export const run = async (argv: readonly string[], options: RunOptions = {}): Promise<string> => {
  const [file, ...args] = argv
  if (file === undefined) throw new LabError('an empty command')
  const result = await execa(file, args, {
    reject: false,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    timeout: options.timeoutMs ?? 30_000,
    ...(options.input === undefined ? {} : { input: options.input }),
    env: { PATH: toolPath, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  })
  if (result.failed) {
    const words = `${result.stderr}\n${result.stdout}`.trim().split('\n').at(-1) ?? ''
    const how = result.timedOut
      ? 'took too long'
      : (result.code ?? `exit ${result.exitCode ?? result.signal}`)
    throw new LabError(`${argv.slice(0, 4).join(' ')}: ${how}${words === '' ? '' : `: ${words}`}`, 1, {
      cause: result,
    })
  }
  return result.stdout
}
