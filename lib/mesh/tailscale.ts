import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { execa } from 'execa'
import { Failure } from '../errors.ts'
import { plain } from '../text.ts'
import type { MeshNode } from './node.ts'
import { parseStatus } from './status.ts'

/** Where tailscale is when PATH does not have it: cron's is bare, and the Mac's app installs no command. */
const USUAL_FOLDERS = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']
const MAC_APP = '/Applications/Tailscale.app/Contents/MacOS/Tailscale'

export type Tailnet =
  | { running: true; nodes: MeshNode[] }
  /** Tailscale is not installed or its daemon does not run, which is no error: `why` says which. */
  | { running: false; why: string }

/**
 * The nodes of the tailnet, from `tailscale status --json`.
 *
 * @throws Failure when tailscale is stopped, logged out, hangs, or prints garbage
 */
export async function tailnet(options: { timeoutMs: number; signal: AbortSignal }): Promise<Tailnet> {
  const command = await findTailscale()
  if (command === undefined) return { running: false, why: 'tailscale is not installed' }
  const result = await execa(command, ['status', '--json'], {
    stdin: 'ignore',
    timeout: Math.max(1, options.timeoutMs),
    cancelSignal: options.signal,
    forceKillAfterDelay: 300,
    reject: false,
  })
  options.signal.throwIfAborted()
  if (result.timedOut)
    throw new Failure(
      '`tailscale status` gave no answer in time: restart tailscaled, or name machines with --hosts',
    )
  if (!result.failed) return { running: true, nodes: parseStatus(result.stdout) }
  const said = `${result.stderr}\n${result.stdout}`
  if (
    /failed to connect to local tailscale(?:d| daemon)|is tailscaled? running|doesn't appear to be running/i.test(
      said,
    )
  )
    return { running: false, why: 'the tailscale daemon is not running' }
  const line = plain(
    result.stderr.split('\n').find((text) => text.trim() !== '') ?? result.shortMessage ?? '',
  )
  throw new Failure(`\`tailscale status\` failed: ${line}`)
}

async function findTailscale(): Promise<string | undefined> {
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
