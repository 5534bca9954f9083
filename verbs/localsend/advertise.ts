import { isIP } from 'node:net'
import { InputError } from '../../lib/base/errors.ts'
import { stateDir } from '../../lib/base/state-dir.ts'
import { plain, quoted } from '../../lib/base/text.ts'
import { ownIdentity } from '../../lib/share/localsend/identity.ts'
import { startReceiver } from '../../lib/share/localsend/receiver/receiver.ts'
import { PORT_NUMBER } from '../bounds.ts'
import { LOOPBACK, ownAddresses } from '../share/own-addresses.ts'
import type { Deps } from '../verb.ts'
import { advertised, inTurn, setAdvertised, withdraw } from './advertised.ts'
import { Doorkeeper } from './doorkeeper.ts'
import type { AdvertiseInput, AdvertiseResult } from './schemas.ts'
import { sessions } from './sessions.ts'
import { isOfTailnet } from './tailnet-address.ts'
import { CHUNK_BYTES, STREAMS, USUAL_GAP_TARGET } from './tuning.ts'

/**
 * Listens for LocalSend peers of this tailnet until the process ends. Nothing is accepted before `localsend_receive`. Asked
 * again for the same, it changes nothing; asked for something else, it begins anew.
 *
 * @throws InputError, Failure; the signal's reason
 */
export async function advertise(input: AdvertiseInput, deps: Deps): Promise<AdvertiseResult> {
  return await inTurn(async () => {
    deps.signal.throwIfAborted()
    const asked = JSON.stringify(input)
    const before = advertised()
    if (before?.input === asked) return before.result
    const listen = await addressesOf(input, deps)
    const identity = await ownIdentity(await stateDir())
    await withdraw()
    const doorkeeper = new Doorkeeper()
    const receiver = await startReceiver({
      decide: async (offer, gone) => await doorkeeper.decide(offer, gone),
      listen,
      port: input.localsend_port ?? PORT_NUMBER.usual,
      identity,
      introduction: {
        alias: plain(input.device_name, 63),
        agent: { id: input.agent_id, capabilities: input.capabilities ?? [] },
      },
      tell: (event) => doorkeeper.heard(event),
    })
    if (deps.signal.aborted) await receiver.close()
    deps.signal.throwIfAborted()
    const session = sessions.open({ maxChunkBytes: CHUNK_BYTES.most, maxParallel: STREAMS.most })
    const { port } = receiver
    const result = { session_id: session.id, listening: listen, port, fingerprint: identity.fingerprint }
    const gapTarget = input.spectral_gap_target ?? USUAL_GAP_TARGET
    setAdvertised({ input: asked, receiver, doorkeeper, session, gapTarget, result })
    return result
  })
}

/** The tailnet's address and the loopback. @throws InputError for an address that others than the tailnet reach */
async function addressesOf({ tailscale_ip: named }: AdvertiseInput, deps: Deps): Promise<string[]> {
  if (named !== undefined) {
    if (isIP(named) === 0 || !isOfTailnet(named))
      throw new InputError('tailscale_ip', `takes a tailnet address of this machine, not ${quoted(named)}`)
    return [...new Set([named, LOOPBACK])]
  }
  return await ownAddresses(deps)
}
