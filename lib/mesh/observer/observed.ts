import type { Process } from '../../model/process.ts'
import type { MeshNode, Report } from '../node.ts'
import type { Mesh } from '../nodes.ts'
import type { History } from './history.ts'

/** A machine as it is known now. */
export type Observed = {
  node: MeshNode
  /**
   * What `just mesh-balance` would say of it: the last measurement until it is too old to be one, then why there is none.
   * Absent until it has answered or failed first.
   */
  report?: Report
  /** When its last measurement came, in milliseconds since 1970; it stays when the measurement no longer counts. */
  measuredAtMs?: number
  /** An answer is overdue, or there is no connection: what is shown of it is old. */
  late: boolean
  /** When it is tried again, where it is waited for. */
  retryAtMs?: number
  /** What it ran when it was asked for its processes last. */
  processes?: {
    list: Process[]
    atMs: number
    /** Only of the user as whom it is asked: a mount of /proc with hidepid. */
    onlyOwn: boolean
    /** Whether users are known: they are asked for only of a machine that is looked at closely. */
    withUsers: boolean
  }
  /** Its measurements of the last 30 minutes. */
  history: History
}

/** What has changed since it was taken last; the state itself is read from the observer. */
export type Changes = {
  /** Names of machines that are new, or of which anything is known anew: each measurement is a change. */
  changed: ReadonlySet<string>
  /** Names of machines that are in the mesh no longer. */
  gone: ReadonlySet<string>
  /** Whether what is known of the mesh as a whole has changed: its warning. */
  mesh: boolean
}

export interface Observer {
  /** The machines of the mesh now, by name, this one first. */
  readonly machines: ReadonlyMap<string, Observed>
  /** Where the machines come from, and what may keep them from being known. */
  readonly mesh: Pick<Mesh, 'from' | 'hint' | 'warning'>
  /**
   * Changes, as they come, for one reader. What a slow reader has not taken is added up, not queued: it never holds the
   * observer up and takes no more memory than the names of the machines. It ends with the observer.
   */
  changes(signal?: AbortSignal): AsyncIterable<Changes>
  /**
   * Asks a machine for its processes, with their users, in each round from now on. Several may look; each calls what it is
   * given when it no longer does.
   */
  lookAt(name: string): () => void
  /**
   * Fulfilled once everything that was begun has ended, here and, where they can be reached, on the other machines, after
   * the signal was aborted. Rejected where the mesh could not be known at all at the beginning.
   */
  readonly ended: Promise<void>
}
