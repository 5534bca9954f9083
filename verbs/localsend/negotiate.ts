import { InputError } from '../../lib/base/errors.ts'
import { stateDir } from '../../lib/base/state-dir.ts'
import { plain, quoted } from '../../lib/base/text.ts'
import { nodeNamed } from '../../lib/mesh/nodes.ts'
import { probe, type Peer } from '../../lib/share/localsend/client/probe.ts'
import { PeerFailure } from '../../lib/share/localsend/failures.ts'
import { ownIdentity } from '../../lib/share/localsend/identity.ts'
import { PORT } from '../../lib/share/localsend/schema.ts'
import { trustIn } from '../../lib/share/localsend/trust.ts'
import { PORT_NUMBER } from '../bounds.ts'
import { nodesOf } from '../see/mesh.ts'
import type { Deps } from '../verb.ts'
import { forAgents } from './for-agents.ts'
import { knownPeers, type KnownPeer } from './known-peers.ts'
import type { NegotiateInput, NegotiateResult } from './schemas.ts'
import { sessions } from './sessions.ts'
import { isOfTailnet } from './tailnet-address.ts'
import { CHUNK_BYTES, STREAMS } from './tuning.ts'

const ANSWER_MS = 10_000

/**
 * Opens a session with a peer that was listed or is of the tailnet, once LocalSend has answered there with the certificate
 * that is known of it. Without TLS only inside the tailnet.
 *
 * @throws InputError when nobody is known by the id; PeerFailure; the signal's reason
 */
export async function negotiate(input: NegotiateInput, deps: Deps): Promise<NegotiateResult> {
  const { max_chunk_bytes: maxChunkBytes = CHUNK_BYTES.most, max_parallel: maxParallel = STREAMS.most } =
    input
  const known = knownPeers.get(input.peer_id) ?? (await ofTailnet(input.peer_id, deps))
  let [peer, by] = [await answering(known, deps.signal), known]
  const other = preferred(peer, by, input.preferred_transport)
  // Another way that does not work leaves the one that does.
  const reached = other && (await answering(other, deps.signal).catch(() => undefined))
  deps.signal.throwIfAborted()
  if (other && reached) [peer, by] = [reached, other]
  if (peer.protocol === 'http')
    deps.hint(`${plain(peer.name)} speaks no TLS: the tailnet encrypts what is sent`)
  const session = sessions.open({ maxChunkBytes, maxParallel }, peer)
  return {
    session_id: session.id,
    transport: by.transport,
    target_ip: peer.address,
    port: peer.port,
    protocol: peer.protocol,
    device_name: plain(peer.info.alias, 63),
    max_chunk_bytes: maxChunkBytes,
    max_parallel: maxParallel,
  }
}

/** A machine of the tailnet by its name or address, with the port where another than the usual one is meant. */
async function ofTailnet(id: string, deps: Deps): Promise<KnownPeer> {
  const nodes = (await nodesOf({}, deps)).filter(({ self, address }) => !self && address !== '')
  const named = (text: string) => nodeNamed(nodes, text) ?? nodes.find(({ address }) => address === text)
  const match = /^(.+):(\d{1,5})$/.exec(id)
  const port = Number(match?.[2])
  const whole = named(id)
  const part = match?.[1] === undefined ? undefined : named(match[1].replaceAll(/^\[|\]$/g, ''))
  const node = whole ?? part
  if (node === undefined)
    throw new InputError(
      'peer_id',
      `${quoted(id)} was not listed and is not of the tailnet: take one of localsend_list_peers`,
    )
  if (whole === undefined && !(port >= PORT_NUMBER.least && port <= PORT_NUMBER.most))
    throw new InputError('peer_id', `${quoted(id)} names no port: it is ${PORT_NUMBER.least} to 65535`)
  const { name, address } = node
  return { id, name, address, port: whole ? PORT : port, transport: 'tailscale' }
}

async function answering(known: KnownPeer, signal: AbortSignal): Promise<Peer> {
  const { name, address, port, fingerprint } = known
  const folder = await stateDir()
  const options = {
    identity: await ownIdentity(folder),
    timeoutMs: ANSWER_MS,
    signal,
    insecureHttp: isOfTailnet(address),
    trust: trustIn(folder, { name, address, port }, false),
  }
  const peer = await probe({ name, address, port }, options).catch((error: unknown) => {
    throw forAgents(error)
  })
  if (fingerprint === undefined || peer.fingerprint === fingerprint) return peer
  throw new PeerFailure(
    'changed',
    `${quoted(name)} shows another certificate than it was listed with: list the peers again`,
  )
}

/** The same device by the transport that is preferred, where a list has named it. */
function preferred(
  { fingerprint }: Peer,
  { transport }: KnownPeer,
  wanted: NegotiateInput['preferred_transport'],
): KnownPeer | undefined {
  if (wanted === undefined || wanted === transport || fingerprint === undefined) return undefined
  return knownPeers.sameBy(wanted, fingerprint)
}
