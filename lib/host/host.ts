import type { Connections } from '../mesh/connections.ts'
import type { MeshNode, SshDestination } from '../mesh/node.ts'

/** A machine that scripts can be run on: this one, or another by ssh. */
export type Host = {
  /** As the mesh names it. */
  name: string
  /** How ssh reaches it; absent for this machine. */
  ssh?: SshDestination
}

/** Where scripts run, and the connections that are kept meanwhile. */
export type Reach = {
  connections: Connections
  connectMs: number
  /** The cipher that ssh should rather use, for what has much to send. */
  cipher?: string
}

export function hostOf({ name, self, ssh }: MeshNode): Host {
  return self || !ssh ? { name } : { name, ssh }
}
