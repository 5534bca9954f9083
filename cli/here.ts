import { Connections } from '../lib/mesh/connections.ts'
import { thisMachine } from '../lib/mesh/this-machine.ts'
import { timeoutMs } from './numbers.ts'

type Patience = { values: { timeout?: string | undefined }; signal: AbortSignal }

/** This machine as scripts are run on it, within `--timeout`. */
export async function here({ values, signal }: Patience) {
  const { name } = thisMachine()
  const allMs = timeoutMs(values.timeout, 30)
  return {
    host: { name },
    reach: { connections: await Connections.open(), connectMs: allMs },
    limits: { timeoutMs: allMs, signal },
  }
}
