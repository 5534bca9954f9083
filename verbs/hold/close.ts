import { plain } from '../../lib/base/text.ts'
import { Connections } from '../../lib/mesh/connections.ts'
import { thisMachine } from '../../lib/mesh/this-machine.ts'
import { close as closeHost, open as openHost } from '../../lib/work/admission/close.ts'
import { timeoutMsOf } from '../timeout.ts'
import { USUAL_SECONDS } from '../bounds.ts'
import type { Deps } from '../verb.ts'
import type { CloseInput, ClosingResult, OpenInput } from './schemas.ts'

/** Keeps work away from this machine, until it is opened. @throws Failure */
export async function close(input: CloseInput, deps: Deps): Promise<ClosingResult> {
  const reason = plain(input.reason ?? '') || 'by its owner'
  const { host, reach, limits } = await here(input, deps)
  return { closed: true, reason, for: await closeHost(host, reason, reach, limits) }
}

/** Lets work come to this machine again. @throws Failure, also when root has closed it and this user can't be root */
export async function open(input: OpenInput, deps: Deps): Promise<ClosingResult> {
  const { host, reach, limits } = await here(input, deps)
  return { closed: false, for: await openHost(host, reach, limits) }
}

/** This machine as scripts are run on it. */
async function here(input: OpenInput, { signal }: Deps) {
  const timeoutMs = timeoutMsOf(input, USUAL_SECONDS.close)
  return {
    host: { name: thisMachine().name },
    reach: { connections: await Connections.open(), connectMs: timeoutMs },
    limits: { timeoutMs, signal },
  }
}
