import { FANOUT, PORT_NUMBER, USUAL_SECONDS } from '../bounds.ts'
import { nodesOf } from '../see/mesh.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import { answering } from './answering.ts'
import type { PeersInput, PeersResult } from './schemas.ts'

/** The machines of the tailnet where LocalSend answers now, phones too. @throws UsageError, Failure */
export async function peers(input: PeersInput, deps: Deps): Promise<PeersResult> {
  const { port = PORT_NUMBER.usual, insecureHttp = false, fanout = FANOUT.usual } = input
  const timeoutMs = timeoutMsOf(input, USUAL_SECONDS.peers)
  const asking = { port, timeoutMs, fanout, insecureHttp: () => insecureHttp }
  const found = await answering(await nodesOf(input, deps), asking, deps)
  if (found.peers.length === 0) return { peers: [], asked: found.asked }
  return {
    peers: found.peers.map(({ name, address, protocol, fingerprint, info }) => {
      const { alias, version, deviceType } = info
      const known = fingerprint === undefined ? {} : { fingerprint }
      return { name, address, port, protocol, alias, version, deviceType, ...known }
    }),
  }
}
