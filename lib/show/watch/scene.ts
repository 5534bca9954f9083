import type { Observed } from '../../mesh/observer/observed.ts'
import type { MeshSnapshot } from '../../mesh/snapshot.ts'
import type { UnderWay } from '../../../verbs/watch/under-way.ts'

/** What a person may do to a process from the screen. */
export type Deed = 'migrate' | 'throttle' | 'kill'

/** Something that was begun from the screen. */
export type Act = {
  id: number
  deed: Deed
  host: string
  pid: number
  command: string
  /** Where it goes, once that is known. */
  to?: string
  state: 'running' | 'done' | 'failed'
  /** How it goes, or how it went. */
  says: string
}

/** All that there is to be shown. */
export type Scene = {
  machines: ReadonlyMap<string, Observed>
  mesh: MeshSnapshot
  /** What a person should know about where the machines come from. */
  hint?: string
  underWay: UnderWay
  acts: readonly Act[]
  nowMs: number
}
