import { isIP } from 'node:net'

/** Under its own name there is never a part of a file: what was interrupted waits here for the next run. */
const PARTIAL_DIR = '.resource-sharing-partial'

/**
 * Arguments of rsync for a copy to a host. What it replaces is kept beside it.
 *
 * @param ssh arguments of ssh that end with `--`, the host and a command, which rsync puts there itself
 * @param paths absolute
 * @param dest a folder there; `~` is its home
 */
export function rsyncArguments(
  ssh: readonly string[],
  host: string,
  paths: readonly string[],
  dest: string,
): string[] {
  const shell = ['ssh', ...ssh.slice(0, -3)].map((word) => quotedForRsync(word)).join(' ')
  const folder = dest.replace(/^~(?:\/|$)/, '') || '.'
  return [
    '--recursive',
    '--links',
    '--times',
    '--hard-links',
    '--sparse',
    '--protect-args',
    `--partial-dir=${PARTIAL_DIR}`,
    '--backup',
    `--suffix=.before-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`,
    '--rsh',
    shell,
    '--',
    ...paths,
    `${isIP(host) === 6 ? `[${host}]` : host}:${folder.endsWith('/') ? folder : `${folder}/`}`,
  ]
}

/** A word of `--rsh` as rsync(1) splits it: in single quotes, where a doubled one is itself. */
function quotedForRsync(word: string): string {
  return /^[A-Za-z0-9_=./:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`
}
