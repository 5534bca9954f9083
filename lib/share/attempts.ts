import { Failure, Interrupted } from '../base/errors.ts'
import { PeerFailure } from './localsend/failures.ts'
import type { MeshNode } from '../mesh/node.ts'

export type Tried = { name: string; reason: string }
export type Attempts<T> = { node: MeshNode; result: T; tried: Tried[] } | { tried: Tried[]; last: Failure }

/**
 * Offers something to one node after the other until one takes it. Another is tried only where nothing was accepted
 * and the person has nothing to decide.
 *
 * @param passed told of each that did not
 * @throws what else goes wrong
 */
export async function firstThatTakes<T>(
  nodes: readonly [MeshNode, ...MeshNode[]],
  offer: (node: MeshNode) => Promise<T>,
  passed: (tried: Tried, next: MeshNode) => void,
): Promise<Attempts<T>> {
  const tried: Tried[] = []
  let last = new Failure('nobody was asked')
  for (const [index, node] of nodes.entries()) {
    try {
      return { node, result: await offer(node), tried }
    } catch (error) {
      if (!(error instanceof Failure) || error instanceof Interrupted) throw error
      if (error instanceof PeerFailure && !error.nextMayTake) throw error
      last = error
      tried.push({ name: node.name, reason: error.message })
      const next = nodes[index + 1]
      if (next) passed({ name: node.name, reason: error.message }, next)
    }
  }
  return { tried, last }
}
