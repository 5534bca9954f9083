import { isIncomplete, openReceivers, receivers, unmeasured } from '../../lib/mesh/snapshot.ts'
import { CANDIDATES, RECEIVERS } from '../bounds.ts'
import type { Deps } from '../verb.ts'
import { measureMesh } from './mesh.ts'
import type { FindMinusInput, FindMinusResult } from './schemas.ts'

/** The other machines with the most room, the best first; none that gave no measurement. @throws UsageError, Failure */
export async function findMinus(input: FindMinusInput, deps: Deps): Promise<FindMinusResult> {
  const count = input.count ?? RECEIVERS.usual
  // Some of those may be this machine, left out, or silent by now.
  const extremes = { emptiest: 2 * count + CANDIDATES + (input.exclude?.length ?? 0) }
  const mesh = await measureMesh(input, deps, {
    extremes,
    // Who is closed only the machine itself can tell, unless it has told a server.
    ...(input.onlyMinus ? { inPerson: 'for marks' as const } : {}),
  })
  const suitable = input.onlyMinus ? openReceivers(mesh.nodes) : receivers(mesh.nodes)
  const nodes = suitable
    .slice(0, count)
    .map(({ name, address, load1, cpus, ratio, trit }) => ({ name, address, load1, cpus, ratio, trit }))
  const silent = unmeasured(mesh.nodes).length
  return {
    nodes,
    ...(silent > 0 ? { unmeasured: silent } : {}),
    ...(isIncomplete(mesh) ? { incomplete: true } : {}),
  }
}
