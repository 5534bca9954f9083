/** What a number that a person or an agent gives may be, and what it is where none is given. */
export type Bounds = { least: number; most: number; usual: number; unit?: string }

// Without the schemas' library: a recipe that only reads its flags starts without it.
export const FANOUT = { least: 1, most: 1024, usual: 64 } as const satisfies Bounds
export const TIMEOUT_SECONDS = { least: 0.5, most: 3600, usual: 10, unit: 'seconds' } as const
/** For everything, of the verbs that have another time than the usual one where none is given; a window comes on top. */
export const USUAL_SECONDS = { close: 30, doctor: 20, peers: 5 } as const
/** Below 100 ms the kernel's ticks of 10 ms would decide what is measured. */
export const WINDOW_MS = { least: 100, most: 60_000, usual: 500, unit: 'milliseconds' } as const
/** Who would act on what was measured looks longer. */
export const REBALANCE_WINDOW_MS = { ...WINDOW_MS, usual: 1000 } as const
/** How many machines are asked themselves where a server has measured all: some of them may be closed, or be busy by now. */
export const CANDIDATES = 12
export const RECEIVERS = { least: 1, most: 10_000, usual: 3 } as const
export const SUSPECTS = { least: 1, most: 100_000, usual: 10 } as const
/** Between two records of an agent: three may be missed before what a machine has said is old. */
export const AGENT_SECONDS = { least: 1, most: 50, usual: 10, unit: 'seconds' } as const
/** For so long a bucket keeps what a machine has said that says nothing any more. */
export const KEPT_SECONDS = { least: 60, most: 604_800, usual: 900, unit: 'seconds' } as const
/** Between two rounds of who watches. */
export const ROUND_SECONDS = { least: 1, most: 60, usual: 2, unit: 'seconds' } as const
export const EVERY_MINUTES = { least: 1, most: 59, usual: 5, unit: 'minutes' } as const
export const ALERT_RUNS = { least: 1, most: 10_000, usual: 3, unit: 'runs' } as const
export const GRACE_SECONDS = { least: 0, most: 3600, usual: 10, unit: 'seconds' } as const
export const PAST_MIGRATIONS = { least: 0, most: 10_000, usual: 10 } as const
export const RECOVER_WAIT_SECONDS = { least: 0, most: 86_400, usual: 0, unit: 'seconds' } as const
export const MAX_AGE_SECONDS = { least: 1, most: 3600, usual: 60, unit: 'seconds' } as const
export const EXPECTED_CPUS = { least: 0, most: 10_000, usual: 1 } as const
export const PORT_NUMBER = { least: 1, most: 65_535, usual: 53_317 } as const
/** Where the page of the mesh is served; 0 takes a port that is free. */
export const PAGE_PORT = { least: 0, most: 65_535, usual: 8642 } as const
export const ACCEPT_WAIT_SECONDS = { least: 0, most: 86_400, usual: 60, unit: 'seconds' } as const
/** PID_MAX_LIMIT of Linux. */
export const MOST_PID = 4_194_304
