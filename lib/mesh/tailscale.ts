import { access, constants } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { run, type Limits } from '../base/command.ts'
import { Failure, Interrupted } from '../base/errors.ts'
import { plain } from '../base/text.ts'
import type { MeshNode } from './node.ts'
import { SOCKETS, statusFromSocket } from './tailscale-socket.ts'
import type { OwnPlace, parseStatus } from './tailscale-status.ts'

/** Where tailscale is when PATH does not have it: cron's is bare, and the Mac's app installs no command. */
const USUAL_FOLDERS = [
  ['/usr/bin', '/usr/local/bin', '/usr/sbin', '/usr/local/sbin', '/sbin', '/bin', '/opt/homebrew/bin'],
  // Snap, NixOS, Synology, QNAP and Entware.
  ['/snap/bin', '/run/current-system/sw/bin', '/var/packages/Tailscale/target/bin'],
  ['/share/CACHEDEV1_DATA/.qpkg/Tailscale', '/opt/bin', '/opt/sbin'],
].flat()
const MAC_APP = '/Applications/Tailscale.app/Contents/MacOS/Tailscale'

/** Characters: fifty thousand peers. */
const MOST_STATUS = 128_000_000

/** What its command says where the daemon does not run, on Linux and on a Mac. */
const NO_DAEMON = /failed to connect to local tailscale|doesn't appear to be running|is tailscaled? running/i

export type Tailnet =
  /** `warning`: tailscale itself does not know how things are. `userspace`: the system has no way to the others. */
  | { running: true; nodes: MeshNode[]; own: OwnPlace; warning?: string; userspace?: true }
  /** Which is no error: `why` says what is so. `installed`: there is a tailnet, of which nothing can be known now. */
  | { running: false; installed: boolean; why: string }

/**
 * The nodes of the tailnet, from `tailscale status --json`, or from where that command asks when it is a usual one.
 *
 * @throws Failure when tailscale is stopped, logged out, hangs, or prints garbage
 */
export async function tailnet(limits: Limits): Promise<Tailnet> {
  const file = await findTailscale()
  if (file === undefined) return await notFound()
  const began = performance.now()
  const parsing = import('./tailscale-status.ts') // loaded while the daemon is asked
  // A command that somebody has put elsewhere may be about another daemon.
  if (USUAL_FOLDERS.includes(dirname(file))) {
    const status = await statusFromSocket({ ...limits, maxOutput: MOST_STATUS })
    if (status?.startsWith('{')) return nodesOf((await parsing).parseStatus(status), file)
  }
  const timeoutMs = limits.timeoutMs - (performance.now() - began)
  // The app of a Mac is its command too, where it is told so; else it may open a window.
  const command = { file, args: ['status', '--json'], env: { TAILSCALE_BE_CLI: '1' } }
  const { stdout, stderr, exitCode, timedOut, tooMuch } = await run(command, {
    ...limits,
    timeoutMs,
    maxOutput: MOST_STATUS,
  })
  if (tooMuch)
    throw new Failure('`tailscale status --json` prints more than any tailnet: name machines with --hosts')
  if (timedOut)
    throw new Failure(
      '`tailscale status` gave no answer in time: restart tailscaled, or name machines with --hosts',
    )
  if (exitCode === 0 || stdout.startsWith('{')) return nodesOf((await parsing).parseStatus(stdout), file)
  if (NO_DAEMON.test(stderr) || NO_DAEMON.test(stdout))
    return { running: false, installed: true, why: 'the tailscale daemon is not running' }
  // The Mac's app complains on standard output.
  const line = `${stderr}\n${stdout}`
    .split('\n')
    .map((text) => plain(text))
    .find((text) => text !== '')
  throw new Failure(`\`tailscale status\` failed: ${line ?? 'it says nothing of why'}`)
}

/** The same, for what can do without it: a tailnet that can't be known now is none. @throws Interrupted */
export async function tailnetIfKnown(limits: Limits): Promise<Tailnet> {
  try {
    return await tailnet(limits)
  } catch (error) {
    if (error instanceof Interrupted || !(error instanceof Failure)) throw error
    return { running: false, installed: true, why: error.message }
  }
}

/** @param file its command, through which connections go where only the daemon has a way. */
function nodesOf(status: ReturnType<typeof parseStatus>, file: string): Tailnet {
  const { nodes, own, warning, userspace } = status
  return {
    running: true,
    own,
    nodes: userspace ? nodes.map((node) => throughDaemon(node, file)) : nodes,
    ...(warning === undefined ? {} : { warning }),
    ...(userspace ? { userspace } : {}),
  }
}

function throughDaemon(node: MeshNode, through: string): MeshNode {
  if (!node.ssh?.tailnet) return node
  return { ...node, ssh: { ...node.ssh, tailnet: { ...node.ssh.tailnet, through } } }
}

async function notFound(): Promise<Tailnet> {
  for (const socket of SOCKETS)
    if (await may(socket, constants.F_OK)) {
      const why = 'tailscaled runs here, but its command `tailscale` is in no folder of PATH'
      return { running: false, installed: true, why }
    }
  return { running: false, installed: false, why: 'tailscale is not installed' }
}

async function may(path: string, mode: number): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  )
}

/** The path of its command, also where PATH does not have it. */
export async function findTailscale(): Promise<string | undefined> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = [...folders, ...USUAL_FOLDERS].map((folder) => join(folder, 'tailscale'))
  for (const candidate of [...candidates, MAC_APP]) if (await may(candidate, constants.X_OK)) return candidate
  return undefined
}
