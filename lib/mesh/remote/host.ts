import type { Connections } from '../connections.ts'
import type { MeshNode, SshDestination } from '../node.ts'

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
  /** How long ssh may take to connect: see lib/mesh/connect-time.ts. */
  connectMs: number
  /** The cipher that ssh should prefer, where there is much to send: see `fastCipher`. */
  cipher?: string
}

export function hostOf({ name, self, ssh }: MeshNode): Host {
  return self || !ssh ? { name } : { name, ssh }
}
