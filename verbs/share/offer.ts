import { Failure } from '../../lib/base/errors.ts'
import { Connections } from '../../lib/mesh/connections.ts'
import type { MeshNode } from '../../lib/mesh/node.ts'
import { HashedParcel, sendByLocalSend, type SentFile } from '../../lib/share/by-localsend.ts'
import { PeerFailure } from '../../lib/share/localsend/failures.ts'
import { copyBySsh } from '../../lib/share/ssh-copy.ts'
import { taildrop } from '../../lib/share/taildrop.ts'
import type { Parcel } from '../../lib/share/walk.ts'

type Via = 'localsend' | 'taildrop' | 'ssh'
/** What was sent, and how. */
export type Sent = { via: Via; by: string; where?: string; files: SentFile[]; declined: string[] }

export type SendingWay = {
  via: Via | 'auto'
  dest: string
  port: number
  waitMs: number
  connectMs: number
  trustNew: boolean
  insecureHttp: boolean
  pin?: string
  signal: AbortSignal
  /** Told how many bytes more have gone. */
  moved: (bytes: number) => void
  /** Told what is done at the moment. */
  doing: (what: string) => void
}

/** Offers a parcel to nodes, each by the way that the person wants. */
export function offering(parcel: Parcel, way: SendingWay): (node: MeshNode) => Promise<Sent> {
  const hashed = new HashedParcel(parcel)
  const files = parcel.files.map(({ name, size }) => ({ name, bytes: size }))
  const offer = async (node: MeshNode, via: Via): Promise<Sent> => {
    way.doing(`sending to ${node.name}`)
    if (via === 'localsend') {
      const { sent, declined, over } = await sendByLocalSend(node, hashed, way)
      const by = over === 'http' ? 'LocalSend without TLS' : 'LocalSend'
      return { via, by, files: sent, declined }
    }
    if (via === 'taildrop') {
      await taildrop(node, parcel, way.signal)
      return { via, by: 'Taildrop', where: 'its inbox', files, declined: [] }
    }
    const by = await copyBySsh(node, parcel.paths, { ...way, connections: await Connections.open() })
    return { via, by: `ssh (${by})`, where: way.dest, files, declined: [] }
  }
  return async (node) => {
    if (way.via !== 'auto' && way.via !== 'localsend') return await offer(node, way.via)
    try {
      return await offer(node, 'localsend')
    } catch (error) {
      // Only where no LocalSend is: who declines is not asked by another way.
      if (!(error instanceof PeerFailure) || !['unreachable', 'foreign'].includes(error.trouble)) throw error
      const [next, last] = otherWays(node, parcel)
      if (next === undefined) throw error
      if (way.via === 'localsend') {
        const flags = [next, ...(last === undefined ? [] : [last])].map((each) => `--via ${each}`)
        const message = `${error.message}; ${flags.join(' or ')} may work`
        throw new PeerFailure('unreachable', message, { cause: error })
      }
      if (last === undefined) return await offer(node, next)
      return await offer(node, next).catch(async (failed: unknown) => {
        if (!(failed instanceof Failure)) throw failed
        return await offer(node, last)
      })
    }
  }
}

/** Taildrop has no folders, and only who is of the tailnet has it. */
function otherWays({ ssh }: MeshNode, { hasFolder }: Parcel): ('ssh' | 'taildrop')[] {
  return [
    ...(ssh ? (['ssh'] as const) : []),
    ...(hasFolder || (ssh && !ssh.tailnet) ? [] : (['taildrop'] as const)),
  ]
}
