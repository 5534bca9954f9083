import pMap from 'p-map'
import { z } from 'zod'
import { LabError } from './error.ts'
import { execIn } from './exec.ts'
import { type HostLayout, switchIp } from './layout.ts'
import { waitUntil } from './processes.ts'

const peer = z.object({ Relay: z.string(), Online: z.boolean(), TailscaleIPs: z.array(z.string()).nullish() })

/** The few fields of `tailscale status --json` that the lab itself looks at. */
const status = z.object({
  BackendState: z.string(),
  Self: z
    .object({ TailscaleIPs: z.array(z.string()).nullish(), Relay: z.string(), DNSName: z.string() })
    .nullish(),
  Peer: z.record(z.string(), peer).nullish(),
})

export type TailnetStatus = z.infer<typeof status>

/** Undefined while tailscaled does not answer. */
export const tailnetStatus = async (host: HostLayout): Promise<TailnetStatus | undefined> => {
  const answer = await execIn(host, ['/usr/local/bin/tailscale', 'status', '--json'], { timeoutMs: 10_000 })
  try {
    return status.parse(JSON.parse(answer.stdout))
  } catch {
    return undefined
  }
}

/** Its IPv4 address in the tailnet, or undefined before it has joined. */
export const tailnetIp = async (host: HostLayout): Promise<string | undefined> =>
  (await tailnetStatus(host))?.Self?.TailscaleIPs?.find((ip) => ip.includes('.'))

/** Logs a host in; returns when the coordination server has accepted it. */
export const join = async (host: HostLayout, authKey: string, name = host.name): Promise<void> => {
  const where = [`--login-server=http://${switchIp}:8080`, `--auth-key=${authKey}`, `--hostname=${name}`]
  const up = ['/usr/local/bin/tailscale', 'up', ...where, '--operator=operator', '--timeout=60s']
  const answer = await execIn(host, up, { timeoutMs: 70_000 })
  if (answer.exitCode !== 0) {
    throw new LabError(`${host.name} could not join: ${answer.stderr.trim().split('\n').at(-1) ?? ''}`)
  }
}

/**
 * Says something to every peer. After a restart the peers' WireGuard would go on with the old session and lose what it
 * sends for 15 s; a word from this side begins a new session at once.
 */
const greetPeers = async (host: HostLayout): Promise<void> => {
  let ips: readonly string[] = []
  const someOnline = async (): Promise<boolean> => {
    const peers = Object.values((await tailnetStatus(host))?.Peer ?? {}).filter(({ Online }) => Online)
    ips = peers.flatMap(({ TailscaleIPs }) => TailscaleIPs ?? []).filter((ip) => ip.includes('.'))
    return ips.length > 0
  }
  // The map that says who is there may come a moment after the state says that we are.
  await waitUntil(someOnline, 3000, 100)
  const ping = 'for ip in "$@"; do ping -q -c 1 -i 0.3 -w 6 "$ip" & done; wait'
  await execIn(host, ['bash', '-c', ping, 'bash', ...ips], { timeoutMs: 10_000 })
}

/** Waits until a host is in the tailnet again, with a relay it can be reached at. */
export const waitForTailnet = async (host: HostLayout): Promise<void> => {
  const running = async (): Promise<boolean> => {
    const now = await tailnetStatus(host)
    return now?.BackendState === 'Running' && (now.Self?.Relay ?? '') !== ''
  }
  if (!(await waitUntil(running, 30_000, 100)))
    throw new LabError(`${host.name} did not come back to the tailnet`)
  await greetPeers(host)
}

/**
 * Waits until each of the hosts knows all the others and the relay they listen at. Before that the first
 * connection between two of them may be lost, and a test would race with it.
 */
export const waitForPeers = async (hosts: readonly HostLayout[]): Promise<void> => {
  const complete = async (host: HostLayout): Promise<boolean> => {
    const peers = Object.values((await tailnetStatus(host))?.Peer ?? {})
    return peers.filter(({ Relay }) => Relay !== '').length >= hosts.length - 1
  }
  const wait = async (host: HostLayout): Promise<void> => {
    if (await waitUntil(async () => await complete(host), 30_000, 100)) return
    throw new LabError(`${host.name} does not see all of its peers`)
  }
  await pMap(hosts, wait, { concurrency: 8 })
}
