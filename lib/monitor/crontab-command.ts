import { run, type Ended, type Limits } from '../base/command.ts'
import { Failure } from '../base/errors.ts'
import { plain } from '../base/text.ts'
import type { Crontab } from './crontab.ts'

/**
 * The user's crontab, one character a byte: a comment in Latin-1 has to come back as it was.
 *
 * @throws Failure when there is no cron or it does not let this user in
 */
export async function readCrontab(limits: Limits): Promise<Crontab> {
  const ended = await crontab(['-l'], limits)
  if (ended.exitCode === 0) return ended.stdout
  // The second is busybox's.
  if (/no crontab for|can't open .*No such file/i.test(ended.stderr)) return undefined
  throw failure('crontab -l', ended)
}

/** @throws Failure when cron refuses it: the crontab is what it was */
export async function writeCrontab(text: Crontab, limits: Limits): Promise<void> {
  const ended = await crontab(text === undefined ? ['-r'] : ['-'], limits, text)
  if (ended.exitCode !== 0) throw failure(text === undefined ? 'crontab -r' : 'crontab -', ended)
}

/** Text of this program for a crontab that is read one character a byte. */
export function asBytes(line: string): string {
  return Buffer.from(line).toString('latin1')
}

/** The inverse, for a person to read. */
export function asText(line: string): string {
  return Buffer.from(line, 'latin1').toString()
}

async function crontab(args: string[], limits: Limits, input?: string): Promise<Ended> {
  const command = { file: 'crontab', args, env: { LC_ALL: 'C' }, bytes: true }
  const ended = await run({ ...command, ...(input === undefined ? {} : { input }) }, limits)
  if (ended.missing)
    throw new Failure('there is no crontab command here: install cron, or see `just cron-install --systemd`')
  return ended
}

function failure(command: string, { stderr, timedOut }: Ended): Failure {
  const said = timedOut
    ? 'no answer in time'
    : plain(stderr.trim().split('\n').at(-1) ?? '') || 'it does not say why'
  return new Failure(`\`${command}\` failed, nothing was changed: ${said}`)
}
