import type { Deps } from '../verb.ts'
import { measureMesh, type Wanted } from './mesh.ts'
import type { MeshBalanceInput, MeshBalanceResult } from './schemas.ts'

/** Which machines of the mesh are loaded, and which have room. @throws UsageError, Failure */
export async function meshBalance(
  input: MeshBalanceInput,
  deps: Deps,
  watch: Pick<Wanted, 'soFar'> = {},
): Promise<MeshBalanceResult> {
  return await measureMesh(input, deps, { connections: input.connections ?? false, ...watch })
}
