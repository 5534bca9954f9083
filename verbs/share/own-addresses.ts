import { tailnetIfKnown } from '../../lib/mesh/tailscale.ts'
import type { Deps } from '../verb.ts'

export const LOOPBACK = '127.0.0.1'
const TAILNET_MS = 10_000

/** Where a receiver listens unless it is told: the tailnet's address of this machine and the loopback. */
export async function ownAddresses({ signal, hint }: Pick<Deps, 'signal' | 'hint'>): Promise<string[]> {
  const found = await tailnetIfKnown({ timeoutMs: TAILNET_MS, signal })
  const own = found.running ? found.nodes.find(({ self }) => self)?.address : undefined
  if (own !== undefined && own !== '') return [own, LOOPBACK]
  const why = found.running ? 'this machine has no tailnet address' : found.why
  hint(`no other machine can send to this one: ${why}; it listens on the loopback only`)
  return [LOOPBACK]
}
