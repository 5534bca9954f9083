import { InputError } from '../../lib/base/errors.ts'
import { stateDir } from '../../lib/base/state-dir.ts'
import { plain } from '../../lib/base/text.ts'
import type { Peer } from '../../lib/share/localsend/client/probe.ts'
import { discover, type Heard } from '../../lib/share/localsend/discovery/multicast.ts'
import { ownIdentity } from '../../lib/share/localsend/identity.ts'
import { PORT, type Info } from '../../lib/share/localsend/schema.ts'
import { FANOUT } from '../bounds.ts'
import { nodesOf } from '../see/mesh.ts'
import { answering } from '../share/answering.ts'
import type { Deps } from '../verb.ts'
import { knownPeers } from './known-peers.ts'
import type { ListPeersInput, ListPeersResult } from './schemas.ts'
import { isOfTailnet } from './tailnet-address.ts'

type Listed = ListPeersResult['peers'][number]

const ANSWER_MS = 5000

/** The machines where LocalSend answers now. @throws InputError for NATS; Failure; the signal's reason */
export async function listPeers({ source }: ListPeersInput, deps: Deps): Promise<ListPeersResult> {
  if (source === 'nats')
    throw new InputError(
      'source',
      'takes nats only where a NATS source is configured, and none is: take tailscale or localsend_multicast',
    )
  return { peers: source === 'tailscale' ? await ofTailnet(deps) : await ofLocalNetworks(deps) }
}

async function ofTailnet(deps: Deps): Promise<Listed[]> {
  const asking = { port: PORT, timeoutMs: ANSWER_MS, fanout: FANOUT.usual, insecureHttp: isOfTailnet }
  const { peers } = await answering(await nodesOf({}, deps), asking, deps)
  return peers.map((peer) => noted(peer))
}

function noted(peer: Peer): Listed {
  const { name, address, port, protocol, fingerprint, info } = peer
  const known = fingerprint === undefined ? {} : { fingerprint }
  knownPeers.note({ id: name, name, address, port, transport: 'tailscale', ...known })
  return { peer_id: name, address, port, ...told({ ...info, protocol }) }
}

async function ofLocalNetworks(deps: Deps): Promise<Listed[]> {
  const identity = await ownIdentity(await stateDir())
  const progress = await deps.progress('listening for LocalSend on the local networks')
  const heard = await discover(identity, deps.signal).finally(() => progress.stop())
  return heard.map(listedAs)
}

function listedAs({ address, info }: Heard): Listed {
  const id = `${address}:${info.port}`
  const name = plain(info.alias, 63) || id
  const fingerprint = info.protocol === 'https' ? { fingerprint: info.fingerprint.toUpperCase() } : {}
  knownPeers.note({ id, name, address, port: info.port, transport: 'localsend_multicast', ...fingerprint })
  return { peer_id: id, address, port: info.port, ...told(info) }
}

/** What a peer says of itself. */
function told({ alias, protocol, version, agent }: Info) {
  return {
    device_name: plain(alias, 63),
    protocol,
    version: plain(version, 16),
    ...(agent === undefined
      ? {}
      : {
          agent_id: plain(agent.id, 64),
          capabilities: agent.capabilities.slice(0, 32).map((each) => plain(each, 64)),
        }),
  }
}
