import { basename, dirname } from 'node:path'
import { run, type Ended, type Limits } from '../base/command.ts'
import { runPiped } from '../base/piped-commands.ts'
import { Failure } from '../base/errors.ts'
import { oneLine, READ_SCRIPT } from '../mesh/remote/script.ts'
import type { Connections } from '../mesh/connections.ts'
import type { MeshNode, SshDestination } from '../mesh/node.ts'
import { lateFault, sshFault } from '../mesh/ssh-faults.ts'
import { sshArguments, type SshFiles } from '../mesh/ssh.ts'
import { shellWord } from '../base/shell.ts'
import { isGnuTar, LEAVE_OUT_HOLES } from '../base/tar.ts'
import { lastLine, quoted } from '../base/text.ts'
import { FORGET, PLACE, PREPARE, UNPACK } from './remote-script.ts'
import { rsyncArguments } from './rsync.ts'

/** Where a copy over ssh goes, unless the person says otherwise. */
export const DEFAULT_DEST = '~/Downloads/resource-sharing/'

export type SshCopy = {
  connections: Connections
  /** A folder of the other machine; relative ones begin at its home. */
  dest: string
  /** How long ssh may take to connect: see lib/mesh/connect-time.ts. */
  connectMs: number
  signal: AbortSignal
}

/** Dead connections are ended by ssh itself. */
const WEEK_MS = 7 * 86_400_000
/** rsync's: it does not understand its arguments, or the other one. */
const NOT_UNDERSTOOD = [1, 2, 4]

/**
 * Copies over ssh: by rsync where both sides have it, which goes on where it was interrupted, else by tar.
 *
 * @returns by which of the two
 * @throws Failure
 */
export async function copyBySsh(
  { name, ssh }: MeshNode,
  paths: readonly string[],
  { connections, dest, connectMs, signal }: SshCopy,
): Promise<'rsync' | 'tar'> {
  if (!ssh) throw new Failure(`${name} has no ssh`)
  const files = await connections.files(ssh)
  const limits = { timeoutMs: WEEK_MS, signal }
  const there = { destination: ssh, files, dest, connectMs, name }
  const has = (await remote(there, PREPARE, '', { ...limits, timeoutMs: connectMs })).split('\n')
  if (has.includes('rsync') && (await runRsync(there, paths, limits))) return 'rsync'
  await runTar(there, paths, has.includes('gnu-tar') && (await isGnuTar(signal)), limits)
  return 'tar'
}

type There = { destination: SshDestination; files: SshFiles; dest: string; connectMs: number; name: string }

/** False where there is no rsync here, or one that the other does not understand. */
async function runRsync(there: There, paths: readonly string[], limits: Limits): Promise<boolean> {
  const args = rsyncArguments(sshTo(there), there.destination.host, paths, there.dest)
  const ended = await run({ file: 'rsync', args }, limits)
  if (ended.exitCode === 0) return true
  if (ended.missing || NOT_UNDERSTOOD.includes(ended.exitCode ?? 0)) return false
  throw failure(there, ended, 'rsync')
}

/** What arrives gets its name only when all of it has been read here and written there. */
async function runTar(there: There, paths: readonly string[], holes: boolean, limits: Limits): Promise<void> {
  const operands = paths.flatMap((path) => ['-C', dirname(path), `./${basename(path)}`])
  const flags = holes ? [LEAVE_OUT_HOLES] : []
  const from = { file: 'tar', args: [...flags, '-cf', '-', ...operands], env: { COPYFILE_DISABLE: '1' } }
  const to = { file: 'ssh', args: sshTo(there), input: `${oneLine(UNPACK)}${there.dest}\n` }
  const [packed, unpacked] = await runPiped(from, to, limits)
  const part = /^(\.resource-sharing-[A-Za-z0-9]{8})$/m.exec(unpacked.stdout)?.[1]
  if (packed.exitCode === 0 && unpacked.exitCode === 0 && part !== undefined) {
    await remote(there, PLACE, `${part}\n`, limits)
    return
  }
  if (part !== undefined) await remote(there, FORGET, `${part}\n`, limits)
  if (unpacked.exitCode === 0 || unpacked.exitCode === undefined) {
    const why = packed.missing ? 'there is no tar here' : said(packed.stderr)
    throw new Failure(`the files can't be read: ${why}`)
  }
  throw failure(there, unpacked, 'tar')
}

async function remote(there: There, script: string, input: string, limits: Limits): Promise<string> {
  const command = { file: 'ssh', args: sshTo(there), input: `${oneLine(script)}${there.dest}\n${input}` }
  const ended = await run(command, limits)
  if (ended.exitCode !== 0) throw failure(there, ended, 'ssh')
  return ended.stdout
}

/** The script comes by standard input: csh, as a login shell, can't hand on a word of more than one line. */
function sshTo({ destination, files, connectMs }: There): string[] {
  return sshArguments(destination, `exec sh -c ${shellWord(READ_SCRIPT)}`, connectMs / 1000, files)
}

function failure({ name, dest, connectMs }: There, ended: Ended, by: string): Failure {
  const { stderr, exitCode, timedOut, missing } = ended
  if (missing) return new Failure(`there is no ${by} on this machine`)
  if (timedOut || exitCode === 255) {
    const { reason } = timedOut ? lateFault(connectMs, ended) : sshFault(stderr)
    return new Failure(`${name} can't be reached over ssh: ${reason}`)
  }
  return new Failure(`the copy to ${quoted(dest)} on ${name} failed: ${said(stderr)}`)
}

function said(stderr: string): string {
  return lastLine(stderr, 200) ?? 'it does not say why'
}
