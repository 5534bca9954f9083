import type { LabRecord } from './host-record.ts'
import type { HostLayout, Layout } from './layout.ts'

/** A host together with the lab it belongs to: what an action on it may need to know. */
export interface Host extends HostLayout {
  readonly lab: Layout
  readonly record: LabRecord
  readonly neighbours: readonly HostLayout[]
}
