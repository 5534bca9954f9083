import type { Family } from '../machine/process-tree.ts'
import type { Measurement } from '../machine/measurement.ts'
import type { Process } from '../model/process.ts'

/** A machine of the mesh: what is known of it before it is asked. */
export type MeshNode = {
  /** Unique in the mesh; what tables show and `--target` takes. */
  name: string
  /** Where ssh connects to: a tailnet address, or a host as the person wrote it. Empty where there is none. */
  address: string
  /** As tailscale writes it (`linux`, `macOS`, `iOS`, …), or `unknown` until it has answered. */
  os: string
  /** Whether it is the machine that this program runs on. */
  self: boolean
  /** How ssh reaches it. Absent where it is not to be tried. */
  ssh?: SshDestination
  /** Why it is not to be tried by ssh. `answers`: it is there all the same, and may have LocalSend, as phones have. */
  left?: { outcome: 'offline' | 'skipped'; reason: string; answers?: true }
  connection?: Connection
}

export type SshDestination = {
  /** What ssh looks up in the person's configuration. */
  host: string
  user?: string
  port?: number
  /** Only for a node of a tailnet, whose address WireGuard binds to its key. */
  tailnet?: {
    /** Tailnet address to connect to, whatever `host` resolves to. */
    ip: string
    /** Whole DNS name, under which its host key is remembered. */
    dnsName: string
    /** The command `tailscale`, where only that has a way there: its daemon runs without a device of the system. */
    through?: string
    /** Host keys that the coordination server vouches for, each `type base64`. */
    hostKeys: string[]
  }
}

/** The way that packets take to a node: direct `+1`, over a DERP relay `0`, none at present `-1`. */
export type Connection = { trit: -1 | 0 | 1; via: 'direct' | 'relay' | 'none'; over?: string }

/** Why there is no measurement of a node. */
export type Fault = 'offline' | 'skipped' | 'unreachable' | 'timeout' | 'auth' | 'host-key' | 'bad-output'
export type ReportOutcome = 'ok' | Fault

/** What came of asking one node. */
export type Report =
  | {
      node: MeshNode
      outcome: 'ok'
      measurement: Measurement
      processes?: Process[]
      onlyOwnProcesses?: true
      family?: Family
      ageMs: number
    }
  | { node: MeshNode; outcome: Fault; reason: string }

/**
 * Where measurements come from. It yields one report for each node, in the order in which they come to be known,
 * and ends soon after the signal is aborted, by throwing the signal's reason.
 */
export interface MeasurementSource {
  measure(nodes: readonly MeshNode[], signal: AbortSignal): AsyncIterable<Report>
}
