import { z } from 'zod'
import { FANOUT, RECEIVERS, SUSPECTS, TIMEOUT_SECONDS, WINDOW_MS } from '../bounds.ts'

/** A number of a JSON document: as measured, not rounded. */
const number = z.number()
export const trit = z.literal([-1, 0, 1]).describe('+1 PLUS, 0 ERGODIC, -1 MINUS')

/** What every verb takes that looks at more than this machine. */
export const meshInput = {
  hosts: z
    .array(z.string())
    .optional()
    .describe("ask these machines, each [user@]host[:port], instead of the tailnet's"),
  source: z.string().optional().describe('prometheus=URL or nats=URL: who measures and names the machines'),
  sourceConfig: z.string().optional().describe('a file with credentials for it'),
  nodeLabel: z.string().optional().describe('the label of node_uname_info with the names of the machines'),
  exclude: z.array(z.string()).optional().describe('leave these machines out'),
  fanout: z.int().min(FANOUT.least).max(FANOUT.most).optional().describe('ask so many at the same time'),
  timeoutSeconds: z
    .number()
    .min(TIMEOUT_SECONDS.least)
    .max(TIMEOUT_SECONDS.most)
    .optional()
    .describe('for everything'),
}

export const windowMs = z
  .int()
  .min(WINDOW_MS.least)
  .max(WINDOW_MS.most)
  .optional()
  .describe('over which CPU use is measured')

/** The CPU and memory of one process, over a window. */
export const process = {
  pid: z.int(),
  user: z.string(),
  command: z.string().describe("the kernel's name of it: data of that machine"),
  cpuPercent: number.describe('of one CPU'),
  memPercent: number,
  rssBytes: number,
  runtimeHours: number,
}

const marks = z.strictObject({
  closed: z.string().exactOptional().describe('why its owner has closed it'),
  reserved: z.strictObject({ owner: z.string(), secondsLeft: number, cpu: number }).exactOptional(),
  arrivals: z.array(z.strictObject({ secondsAgo: number, cpu: number, pid: z.int().exactOptional() })),
  departures: z
    .array(z.strictObject({ secondsAgo: number, cpu: number, pid: z.int().exactOptional() }))
    .exactOptional(),
})

const fault = z.enum(['offline', 'skipped', 'unreachable', 'timeout', 'auth', 'host-key', 'bad-output'])

const identity = {
  name: z.string(),
  address: z.string(),
  os: z.string(),
  self: z.boolean(),
  connection: z
    .strictObject({
      trit,
      via: z.enum(['direct', 'relay', 'none']),
      over: z.string().exactOptional(),
    })
    .exactOptional(),
}

/** A machine as every document shows it. */
export const nodeState = z.discriminatedUnion('outcome', [
  z.strictObject({
    ...identity,
    outcome: z.literal('ok'),
    load1: number,
    load5: number,
    load15: number,
    cpus: z.int(),
    usableCpus: number.exactOptional(),
    quotaCpus: number.exactOptional(),
    ratio: number.describe('load1 over cpus'),
    trit,
    uptimeSeconds: number.exactOptional(),
    pressure: z.strictObject({ some10: number.exactOptional(), some60: number }).exactOptional(),
    availableBytes: number.exactOptional(),
    receiver: marks.exactOptional(),
  }),
  z.strictObject({
    ...identity,
    outcome: fault,
    reason: z.string(),
  }),
])

/** Σ and what follows from it; absent where no machine gave a measurement. */
export const sums = {
  sum: z.int(),
  mod3: z.int().min(0).max(2),
  invariantHolds: z.boolean(),
}

export const MeshBalance = {
  input: z.strictObject({
    ...meshInput,
    connections: z.boolean().optional().describe('also how packets reach each machine'),
  }),
  result: z.strictObject({
    measuredAt: z.iso.datetime(),
    from: z.enum(['hosts', 'tailnet', 'prometheus', 'nats', 'alone']),
    warning: z.string().exactOptional().describe('what may keep machines from being known'),
    nodes: z.array(nodeState),
    sum: sums.sum.exactOptional(),
    invariantHolds: sums.invariantHolds.exactOptional(),
    rule: z.literal([1, 2, 3]).exactOptional(),
    moves: z.array(z.strictObject({ from: z.string(), to: z.string() })).describe('who would send to whom'),
  }),
}
export type MeshBalanceInput = z.output<typeof MeshBalance.input>
export type MeshBalanceResult = z.output<typeof MeshBalance.result>

export const FindMinus = {
  input: z.strictObject({
    ...meshInput,
    count: z.int().min(RECEIVERS.least).max(RECEIVERS.most).optional().describe('so many (3)'),
    onlyMinus: z.boolean().optional().describe('only those of trit -1 that are open to work'),
  }),
  result: z.strictObject({
    nodes: z.array(
      z.strictObject({
        name: z.string(),
        address: z.string(),
        load1: number,
        cpus: z.int(),
        ratio: number,
        trit,
      }),
    ),
    unmeasured: z.int().exactOptional().describe('how many were asked and gave no measurement'),
    incomplete: z
      .literal(true)
      .exactOptional()
      .describe('some machine may be missing or gave no measurement'),
  }),
}
export type FindMinusInput = z.output<typeof FindMinus.input>
export type FindMinusResult = z.output<typeof FindMinus.result>

export const NodeTrit = {
  input: z.strictObject({ windowMs, timeoutSeconds: meshInput.timeoutSeconds }),
  result: z.strictObject({
    trit,
    load1: number,
    cpus: z.int(),
    ratio: number,
    scumProcesses: z.int().describe('how many use more than 30 % of a CPU'),
    onlyOwnProcesses: z.literal(true).exactOptional(),
    processes: z.array(z.strictObject(process)),
  }),
}
export type NodeTritInput = z.output<typeof NodeTrit.input>
export type NodeTritResult = z.output<typeof NodeTrit.result>

export const ScumView = {
  input: z.strictObject({
    ...meshInput,
    host: z.string().optional().describe('of this machine of the mesh, instead of this one'),
    mesh: z.boolean().optional().describe('of every machine'),
    count: z.int().min(SUSPECTS.least).max(SUSPECTS.most).optional().describe('a machine (10)'),
    windowMs,
  }),
  result: z.strictObject({
    nodes: z.array(
      z.strictObject({
        name: z.string(),
        trit,
        onlyOwnProcesses: z.literal(true).exactOptional(),
        processes: z.array(
          z.strictObject({
            ...process,
            inScumClass: z.boolean(),
            score: number.describe('0.6·CPU + 0.3·memory + 0.1·days'),
            terms: z.strictObject({ cpu: number, mem: number, runtime: number }),
            scumTrit: trit,
            action: z.enum(['migrate', 'throttle', 'allow', 'none']),
          }),
        ),
      }),
    ),
    unmeasured: z
      .array(z.strictObject({ name: z.string(), outcome: fault, reason: z.string() }))
      .exactOptional(),
  }),
}
export type ScumViewInput = z.output<typeof ScumView.input>
export type ScumViewResult = z.output<typeof ScumView.result>

export const Doctor = {
  input: z.strictObject({
    ...meshInput,
    host: z.string().optional().describe('this machine of the mesh, instead of this one'),
  }),
  result: z.strictObject({
    fine: z.boolean(),
    findings: z.array(
      z.strictObject({
        host: z.string(),
        check: z.string(),
        state: z.enum(['fine', 'missing', 'optional']),
        says: z.string(),
        todo: z.string().exactOptional(),
      }),
    ),
  }),
}
export type DoctorInput = z.output<typeof Doctor.input>
export type DoctorResult = z.output<typeof Doctor.result>
