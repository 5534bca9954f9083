import { run, type Command, type Ended, type Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import { ENDLESS, lateFault, sshFault } from '../ssh-faults.ts'
import { sshArguments } from '../ssh.ts'
import { shellWord } from '../../base/shell.ts'
import { lastLine } from '../../base/text.ts'
import type { Host, Reach } from './host.ts'
import { answerOf, framedScript, NO_ROOT, READ_SCRIPT, type As } from './script.ts'

export type Task = {
  /** POSIX sh; see `framedScript`. */
  body: string
  values?: Readonly<Record<string, string>>
  as: As
  /** For the standard input of the body, byte for byte (latin1). */
  input?: string
}

/** How a script ended: it ran and gave its status, or nobody knows whether and how far it ran. */
export type Said = { known: true; status: number; output: string; stderr: string } | Unknown
export type Unknown = { known: false; reason: string }

/**
 * Runs a script on a machine, in one round trip.
 *
 * @throws the signal's reason; nothing else, whatever the machine does
 */
export async function tell(host: Host, task: Task, reach: Reach, limits: Limits): Promise<Said> {
  const script = framedScript(task.body, task.values ?? {}, task.as)
  const command = await commandOn(host, reach)
  const input = `${Buffer.from(script.text).toString('latin1')}${task.input ?? ''}`
  return saidBy(await run({ ...command, input, bytes: true }, limits), script.nonce, limits.timeoutMs)
}

/** The command that runs a script on a machine: its text has to be the first line of the standard input. */
export async function commandOn(
  host: Host,
  { connections, connectMs, cipher }: Reach,
): Promise<Pick<Command, 'file' | 'args'>> {
  if (!host.ssh) return { file: 'sh', args: ['-c', READ_SCRIPT] }
  const files = await connections.files(host.ssh, cipher)
  const command = `exec sh -c ${shellWord(READ_SCRIPT)}`
  return { file: 'ssh', args: sshArguments(host.ssh, command, connectMs / 1000, files) }
}

/** What came of a command that ran a script. */
export function saidBy(ended: Ended, nonce: string, timeoutMs: number): Said {
  const { stdout, stderr, exitCode, timedOut, missing, tooMuch } = ended
  const answer = answerOf(Buffer.from(stdout, 'latin1').toString(), nonce)
  if (answer) return { known: true, ...answer, stderr }
  if (missing) return { known: false, reason: 'there is no ssh client on this machine' }
  if (tooMuch) return { known: false, reason: ENDLESS }
  if (timedOut) return { known: false, reason: lateFault(timeoutMs, ended, nonce).reason }
  if (exitCode === 255) return { known: false, reason: sshFault(stderr).reason }
  return { known: false, reason: lastLine(stderr, 160) ?? 'the answer is cut short' }
}

/**
 * The output of a script that has to succeed.
 *
 * @param what it does, as in "n1: WHAT failed"
 * @throws Failure
 */
export async function mustTell(
  host: Host,
  task: Task,
  reach: Reach,
  limits: Limits,
  what: string,
): Promise<string> {
  const said = await tell(host, task, reach, limits)
  if (!said.known) throw new Failure(`${host.name}: ${what} failed: ${said.reason}`)
  if (said.status === NO_ROOT)
    throw new Failure(`${host.name}: ${what} needs root, or a sudo that asks no password`)
  if (said.status !== 0)
    throw new Failure(
      `${host.name}: ${what} failed: ${lastLine(said.stderr, 160) ?? lastLine(said.output, 160) ?? `status ${said.status}`}`,
    )
  return said.output
}
