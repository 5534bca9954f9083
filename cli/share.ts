import { Failure, UsageError } from '../lib/errors.ts'
import { PeerFailure } from '../lib/localsend/failures.ts'
import { PORT } from '../lib/localsend/schema.ts'
import { Connections } from '../lib/mesh/connections.ts'
import type { MeshNode } from '../lib/mesh/node.ts'
import { nodeNamed } from '../lib/mesh/nodes.ts'
import { nodeStates, openReceivers } from '../lib/mesh/snapshot.ts'
import { HashedParcel, sendByLocalSend, type SentFile } from '../lib/share/by-localsend.ts'
import { copyBySsh, DEFAULT_DEST } from '../lib/share/ssh-copy.ts'
import { taildrop } from '../lib/share/taildrop.ts'
import type { Parcel } from '../lib/share/walk.ts'
import { quoted } from '../lib/text.ts'
import { askMesh, nodesOf } from './mesh.ts'
import type { meshOptions } from './mesh-options.ts'
import { countOf, numberOf, timeoutMs } from './numbers.ts'
import type { Context } from './recipe.ts'

export const shareOptions = {
  target: { type: 'string' },
  via: { type: 'string' },
  port: { type: 'string' },
  pin: { type: 'string' },
  wait: { type: 'string' },
  dest: { type: 'string' },
  'trust-new': { type: 'boolean' },
  'insecure-http': { type: 'boolean' },
} as const

type ShareContext = Context<typeof meshOptions & typeof shareOptions>
type Via = 'localsend' | 'taildrop' | 'ssh'
export type Sent = { via: Via; by: string; where: string; files: SentFile[]; declined: string[] }

/** How files go to a node, from the flags. @throws UsageError */
export function wayOf({ values, signal }: ShareContext) {
  const via = values.via ?? 'localsend'
  if (via !== 'localsend' && via !== 'taildrop' && via !== 'ssh' && via !== 'auto')
    throw new UsageError(`--via takes localsend, taildrop, ssh or auto, not ${quoted(via)}`)
  const chosen: Via | 'auto' = via
  const dest = values.dest ?? DEFAULT_DEST
  if (dest === '' || /[\n\r\0]/.test(dest)) throw new UsageError(`--dest takes a folder, not ${quoted(dest)}`)
  return {
    via: chosen,
    dest,
    port: countOf('--port', values.port ?? String(PORT), { least: 1, most: 65_535 }),
    waitMs: numberOf('--wait', values.wait ?? '60', { least: 0, most: 86_400, unit: 'seconds' }) * 1000,
    connectMs: Math.min(10_000, timeoutMs(values.timeout)),
    trustNew: values['trust-new'] ?? false,
    insecureHttp: values['insecure-http'] ?? false,
    ...(values.pin === undefined ? {} : { pin: values.pin }),
    signal,
  }
}
type Way = ReturnType<typeof wayOf> & { moved: (bytes: number) => void; doing: (what: string) => void }

/** The node that `--target` names, else the idle ones that are not closed, the one with the most room first. */
export async function candidates(context: ShareContext): Promise<MeshNode[]> {
  const { target } = context.values
  if (target === undefined) {
    const reports = await askMesh(context, {})
    const idle = openReceivers(nodeStates(reports))
    return idle.flatMap(({ name }) => reports.find(({ node }) => node.name === name)?.node ?? [])
  }
  const nodes = await nodesOf(context)
  const node = nodeNamed(nodes, target)
  if (node?.self) throw new UsageError(`--target ${quoted(target)} is this machine`)
  if (node && node.address !== '') return [node]
  const names = nodes.flatMap(({ name, self }) => (self ? [] : [name])).join(', ')
  throw new UsageError(`--target ${quoted(target)} is not in the mesh: it has ${names || 'no other machine'}`)
}

/** Offers a parcel to nodes, each by the way that the person wants. */
export function offering(parcel: Parcel, way: Way): (node: MeshNode) => Promise<Sent> {
  const hashed = new HashedParcel(parcel)
  const plain = parcel.files.map(({ name, size }) => ({ name, bytes: size }))
  const others = (node: MeshNode): ('ssh' | 'taildrop')[] => [
    ...(node.ssh ? (['ssh'] as const) : []),
    ...(parcel.hasFolder || (node.ssh && !node.ssh.tailnet) ? [] : (['taildrop'] as const)),
  ]
  const offer = async (node: MeshNode, via: Via): Promise<Sent> => {
    way.doing(`sending to ${node.name}`)
    if (via === 'localsend') {
      const { sent, declined, over } = await sendByLocalSend(node, hashed, way)
      return {
        via,
        by: over === 'http' ? 'LocalSend without TLS' : 'LocalSend',
        where: '',
        files: sent,
        declined,
      }
    }
    if (via === 'taildrop') {
      await taildrop(node, parcel, way.signal)
      return { via, by: 'Taildrop', where: ', into its inbox', files: plain, declined: [] }
    }
    const by = await copyBySsh(node, parcel.paths, { ...way, connections: await Connections.open() })
    return { via, by: `ssh (${by})`, where: `, into ${way.dest}`, files: plain, declined: [] }
  }
  return async (node) => {
    if (way.via !== 'auto' && way.via !== 'localsend') return offer(node, way.via)
    try {
      return await offer(node, 'localsend')
    } catch (error) {
      if (!(error instanceof PeerFailure) || error.trouble !== 'unreachable') throw error
      const [next, ...rest] = others(node)
      if (next === undefined) throw error
      if (way.via === 'localsend') {
        const flags = [next, ...rest].map((each) => `--via ${each}`).join(' or ')
        throw new PeerFailure('unreachable', `${error.message}; ${flags} may work`, { cause: error })
      }
      return rest[0] === undefined
        ? await offer(node, next)
        : await offer(node, next).catch(async (failed: unknown) => {
            if (!(failed instanceof Failure) || rest[0] === undefined) throw failed
            return offer(node, rest[0])
          })
    }
  }
}
