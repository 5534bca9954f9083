import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { run, type Limits } from '../command.ts'
import { Failure } from '../errors.ts'
import { plain } from '../text.ts'
import type { MeshNode } from './node.ts'
import { parseStatus } from './status.ts'

/** Where tailscale is when PATH does not have it: cron's is bare, and the Mac's app installs no command. */
const USUAL_FOLDERS = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']
const MAC_APP = '/Applications/Tailscale.app/Contents/MacOS/Tailscale'

/** Characters: fifty thousand peers. */
const MOST_STATUS = 128_000_000

/** What its command says where the daemon does not run, on Linux and on a Mac. */
const NO_DAEMON = /failed to connect to local tailscale|doesn't appear to be running|is tailscaled? running/i

export type Tailnet =
  | { running: true; nodes: MeshNode[] }
  /** Tailscale is not installed or its daemon does not run, which is no error: `why` says which. */
  | { running: false; why: string }

/**
 * The nodes of the tailnet, from `tailscale status --json`.
 *
 * @throws Failure when tailscale is stopped, logged out, hangs, or prints garbage
 */
export async function tailnet(limits: Limits): Promise<Tailnet> {
  const file = await findTailscale()
  if (file === undefined) return { running: false, why: 'tailscale is not installed' }
  const command = { file, args: ['status', '--json'] }
  const { stdout, stderr, exitCode, timedOut, tooMuch } = await run(command, {
    ...limits,
    maxOutput: MOST_STATUS,
  })
  if (tooMuch)
    throw new Failure('`tailscale status --json` prints more than any tailnet: name machines with --hosts')
  if (timedOut)
    throw new Failure(
      '`tailscale status` gave no answer in time: restart tailscaled, or name machines with --hosts',
    )
  if (exitCode === 0 || stdout.startsWith('{')) return { running: true, nodes: parseStatus(stdout) }
  if (NO_DAEMON.test(stderr)) return { running: false, why: 'the tailscale daemon is not running' }
  const line = stderr
    .split('\n')
    .map((text) => plain(text))
    .find((text) => text !== '')
  throw new Failure(`\`tailscale status\` failed: ${line ?? 'it says nothing of why'}`)
}

/** The path of its command, also where PATH does not have it. */
export async function findTailscale(): Promise<string | undefined> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = [...folders, ...USUAL_FOLDERS].map((folder) => join(folder, 'tailscale'))
  for (const candidate of [...candidates, MAC_APP]) {
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (executable) return candidate
  }
  return undefined
}
