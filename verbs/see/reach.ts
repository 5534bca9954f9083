import { connectMsBeforeWork } from '../../lib/mesh/connect-time.ts'
import { Connections } from '../../lib/mesh/connections.ts'
import { fastCipher } from '../../lib/mesh/remote/cipher.ts'
import type { Reach } from '../../lib/mesh/remote/host.ts'
import { type MeshInput } from './mesh.ts'
import { timeoutMsOf } from '../timeout.ts'

/** How scripts reach other machines, within the time of the input, also where there is much to send. */
export async function reachOf(input: Pick<MeshInput, 'timeoutSeconds'>): Promise<Reach> {
  const cipher = await fastCipher()
  return {
    connections: await Connections.open(),
    connectMs: connectMsBeforeWork(timeoutMsOf(input)),
    ...(cipher === undefined ? {} : { cipher }),
  }
}
