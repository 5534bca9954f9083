import type { MeshNode, Report } from './node.ts'

/** Machines that a server measures for everybody, as it knows them. */
export type KnownMesh = {
  reports: Report[]
  /** That what it says may be a part of what there is. */
  warning?: string
}

/** The same without what was measured. */
export type KnownNodes = { nodes: MeshNode[]; warning?: string }

/** Which of the machines are wanted, by their load over CPUs: so many of those with the least, and with the most. */
export type Extremes = { emptiest?: number; fullest?: number }
