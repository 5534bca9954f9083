import pMap from 'p-map'
import { stateDir } from '../../lib/base/state-dir.ts'
import { plain } from '../../lib/base/text.ts'
import type { MeshNode } from '../../lib/mesh/node.ts'
import { probe, type Peer } from '../../lib/share/localsend/client/probe.ts'
import { PeerFailure } from '../../lib/share/localsend/failures.ts'
import { ownIdentity } from '../../lib/share/localsend/identity.ts'
import type { Deps } from '../verb.ts'

export type Asking = {
  port: number
  timeoutMs: number
  fanout: number
  /** Whether a machine that speaks no TLS is asked without. */
  insecureHttp: (address: string) => boolean
}

/** Those of these machines that may have LocalSend, phones too, and of them those where it answers now. */
export async function answering(
  nodes: readonly MeshNode[],
  { port, timeoutMs, fanout, insecureHttp }: Asking,
  deps: Deps,
): Promise<{ asked: number; peers: Peer[] }> {
  const { signal } = deps
  const asked = nodes.filter(
    ({ self, address, left }) => !self && address !== '' && (left === undefined || left.answers),
  )
  const identity = await ownIdentity(await stateDir())
  const progress = await deps.progress(`asking ${asked.length} machines`)
  const ask = async ({ name, address }: MeshNode) => {
    const options = { identity, timeoutMs, signal, insecureHttp: insecureHttp(address) }
    return await probe({ name, address, port }, options).catch((error: unknown) => {
      signal.throwIfAborted()
      if (!(error instanceof PeerFailure)) throw error
      if (error.trouble !== 'unreachable') deps.hint(plain(error.message, 300))
      return undefined
    })
  }
  const answers = await pMap(asked, ask, { concurrency: fanout }).finally(() => progress.stop())
  return { asked: asked.length, peers: answers.flatMap((peer) => peer ?? []) }
}
