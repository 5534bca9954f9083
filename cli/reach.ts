import { fastCipher } from '../lib/host/cipher.ts'
import type { Reach } from '../lib/host/host.ts'
import { Connections } from '../lib/mesh/connections.ts'
import { timeoutMs } from './numbers.ts'

/** How scripts reach other machines, within `--timeout`. */
export async function reachOf({ values }: { values: { timeout?: string | undefined } }): Promise<Reach> {
  const cipher = await fastCipher()
  return {
    connections: await Connections.open(),
    connectMs: Math.min(10_000, timeoutMs(values.timeout)),
    ...(cipher === undefined ? {} : { cipher }),
  }
}
