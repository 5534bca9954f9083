import type { Process } from '../process.ts'

/** The mesh as a broker sees it. The order of nodes, processes and jobs means nothing. */
export type PlanSnapshot = { nodes: readonly PlanNode[]; jobs: readonly QueuedJob[] }

/** One node. Ages of what it remembers are told by its own clock, at the time of its measurement. */
export type PlanNode = {
  /** Unique in the mesh. */
  name: string
  /** Absent when the node gave none: such a node is in no plan and counts nowhere. */
  measurement?: { load1: number; cpus: number; ageMs: number }
  /** What a new process may take. Where it is not known, no process is moved to the node. */
  freeMemoryBytes?: number
  /** Its owner takes no arrivals for now. */
  closed?: boolean
  /** Why no process can be moved here; jobs may be started all the same. */
  noMoves?: string
  /** A broker that is about to send something here, and for how long yet. */
  reservation?: { owner: string; leftMs: number }
  /** What came here lately, moved, started or woken: load1 does not show all of it yet. */
  arrivals: readonly LoadChange[]
  /** What was moved away lately, from the moment it was stopped: load1 still shows some of it. */
  departures: readonly LoadChange[]
  processes: readonly PlanProcess[]
}

/** So much load that came or went, in CPUs, and how long ago. */
export type LoadChange = { cpu: number; ageMs: number }

export type PlanProcess = Process & {
  /** Why nothing at all may be done to it. */
  guarded?: string
  /** Why it can't be moved; it may be throttled all the same. */
  immovable?: string
  /** This program holds it back on this node. */
  held?: { how: 'paused' | 'throttled'; ageMs: number; /** CPUs it would use, where known. */ cpu?: number }
  /** How long ago it was moved here or released here, where known. */
  movedAgoMs?: number
}

export type QueuedJob = { id: string; /** CPUs it is thought to use. */ cpu: number; ageMs: number }

export type PlanOptions = {
  /** Measurements older than this don't count: the node is as good as unmeasured. */
  maxAgeMs: number
  /** Who plans: a reservation of its own does not stand in its way. */
  owner?: string
}

/**
 * One step, with its reason in words. `cpu` is the load in CPUs that it is thought to add where it goes; of what is
 * throttled, what it would use.
 */
export type PlanAction =
  | { kind: 'migrate'; node: string; to: string; pid: number; cpu: number; reason: string }
  | { kind: 'throttle'; node: string; pid: number; cpu: number; reason: string }
  | { kind: 'wake'; node: string; pid: number; cpu: number; reason: string }
  | { kind: 'start'; node: string; job: string; cpu: number; reason: string }
  | { kind: 'none'; node: string; reason: string }
