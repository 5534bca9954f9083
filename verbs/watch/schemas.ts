import { z } from 'zod'
import { OUTCOMES } from '../../lib/work/migrate/folder.ts'
import { AGENT_SECONDS, ALERT_RUNS, EVERY_MINUTES, KEPT_SECONDS, ROUND_SECONDS } from '../bounds.ts'
import { meshInput, nodeState, sums } from '../see/schemas.ts'

/** Where a run of the monitor leaves what it saw. Paths are absolute. */
export const outlets = {
  log: z.string().optional().describe('append one line of JSON to this file in each run'),
  textfile: z.string().optional().describe("write metrics for node_exporter's textfile collector"),
  alert: z
    .strictObject({
      command: z.string().describe('run by sh'),
      forRuns: z.int().min(ALERT_RUNS.least).max(ALERT_RUNS.most),
    })
    .optional()
    .describe('run this when the machine is overloaded, and when it has recovered, so many runs in a row'),
}

export const CronInstall = {
  input: z.strictObject({
    ...outlets,
    everyMinutes: z.int().min(EVERY_MINUTES.least).max(EVERY_MINUTES.most).optional(),
    timeoutSeconds: meshInput.timeoutSeconds,
  }),
  result: z.strictObject({
    changed: z.boolean(),
    lines: z.array(z.string()).describe('the block in the crontab'),
  }),
}
export type CronInstallInput = z.output<typeof CronInstall.input>
export type CronInstallResult = z.output<typeof CronInstall.result>

export const CronUnits = {
  input: CronInstall.input.omit({ timeoutSeconds: true }),
  result: z.strictObject({ units: z.array(z.strictObject({ name: z.string(), text: z.string() })) }),
}
export type CronUnitsInput = z.output<typeof CronUnits.input>
export type CronUnitsResult = z.output<typeof CronUnits.result>

const patience = z.strictObject({ timeoutSeconds: meshInput.timeoutSeconds })

export const CronShow = {
  input: patience,
  result: z.strictObject({ installed: z.boolean(), lines: z.array(z.string()) }),
}
export const CronRemove = { input: patience, result: z.strictObject({ changed: z.boolean() }) }
export type CronInput = z.output<typeof patience>
export type CronShowResult = z.output<typeof CronShow.result>
export type CronRemoveResult = z.output<typeof CronRemove.result>

const agentInput = z.strictObject({
  source: z.string().optional().describe('nats=URL'),
  sourceConfig: z.string().optional().describe("a file with this machine's credentials"),
  name: z.string().optional().describe('what this machine is called in the mesh'),
  intervalSeconds: z
    .int()
    .min(AGENT_SECONDS.least)
    .max(AGENT_SECONDS.most)
    .optional()
    .describe('between two records'),
})
export const Agent = {
  input: agentInput.extend({
    once: z.boolean().optional().describe('one record, and end'),
    timeoutSeconds: meshInput.timeoutSeconds,
  }),
  result: z.strictObject({ name: z.string(), server: z.string(), published: z.int() }),
}
export type AgentInput = z.output<typeof Agent.input>
export type AgentResult = z.output<typeof Agent.result>

/** A line of `agent --json`. */
export const AgentEvent = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('connected'), name: z.string(), server: z.string() }),
  z.strictObject({
    event: z.literal('published'),
    name: z.string(),
    count: z.int(),
    cpuPercent: z.number().describe('of one CPU, since it began, with what measured the machine'),
    rssBytes: z.number(),
  }),
  z.strictObject({ event: z.literal('failed'), reason: z.string() }),
  z.strictObject({ event: z.literal('lost'), reason: z.string(), againInSeconds: z.number() }),
  z.strictObject({ event: z.literal('removed'), name: z.string() }),
])
export type AgentEvent = z.output<typeof AgentEvent>

export const AgentUnits = {
  input: agentInput.extend({
    system: z.boolean().optional().describe("a service of the system's, not of the user's"),
    launchd: z.boolean().optional().describe('for macOS'),
  }),
  result: z.strictObject({
    units: z.array(
      z.strictObject({ name: z.string(), text: z.string(), path: z.string(), start: z.string() }),
    ),
  }),
}
export type AgentUnitsInput = z.output<typeof AgentUnits.input>
export type AgentUnitsResult = z.output<typeof AgentUnits.result>

export const NatsSetup = {
  input: z.strictObject({
    dir: z.string().optional().describe('the folder of the files (nats)'),
    nodes: z.array(z.string()).optional().describe('machines that are to be known'),
    bucket: z.string().optional().describe('its name (mesh)'),
    listen: z.string().optional().describe('where the server listens (127.0.0.1:4222)'),
    ttlSeconds: z
      .int()
      .min(KEPT_SECONDS.least)
      .max(KEPT_SECONDS.most)
      .optional()
      .describe('for how long a machine is known that says nothing any more'),
    create: z.boolean().optional().describe('make the bucket on the server that runs'),
    source: z.string().optional().describe('nats=URL of that server'),
    sourceConfig: z.string().optional().describe("a file with the owner's credentials"),
    timeoutSeconds: meshInput.timeoutSeconds,
  }),
  result: z.strictObject({
    dir: z.string(),
    bucket: z.string(),
    written: z.array(z.string()).describe('names of the files that were written'),
    nodes: z.array(
      z.strictObject({
        name: z.string(),
        seed: z.string().describe("the file of the machine's secret"),
        added: z.boolean(),
      }),
    ),
    server: z.string().exactOptional().describe('that has the bucket now'),
  }),
}
export type NatsSetupInput = z.output<typeof NatsSetup.input>
export type NatsSetupResult = z.output<typeof NatsSetup.result>

const at = z.iso.datetime()
export const Watch = {
  input: z.strictObject({
    ...meshInput,
    intervalSeconds: z
      .number()
      .min(ROUND_SECONDS.least)
      .max(ROUND_SECONDS.most)
      .optional()
      .describe(`between two rounds (${ROUND_SECONDS.usual})`),
  }),
  result: z.strictObject({}),
}
export type WatchInput = z.output<typeof Watch.input>
export type WatchResult = z.output<typeof Watch.result>

/** What is told of as it happens. */
export const WatchLine = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('machine'), at, node: nodeState }),
  z.strictObject({ event: z.literal('gone'), at, name: z.string() }),
  z.strictObject({ event: z.literal('warning'), at, text: z.string() }),
  z.strictObject({
    event: z.literal('balance'),
    at,
    sum: sums.sum,
    invariantHolds: sums.invariantHolds,
    rule: z.literal([1, 2, 3]),
    moves: z.array(z.strictObject({ from: z.string(), to: z.string() })),
  }),
  z.strictObject({
    event: z.literal('migration'),
    at,
    id: z.string(),
    pid: z.int(),
    command: z.string(),
    from: z.string(),
    to: z.string(),
    state: z.enum(['under way', 'in doubt', 'to be swept', 'over']),
    step: z.string().exactOptional().describe('what is being done'),
    outcome: z.enum(OUTCOMES).exactOptional(),
  }),
  z.strictObject({
    event: z.literal('job'),
    at,
    id: z.string(),
    title: z.string(),
    state: z.string(),
    node: z.string(),
  }),
])
export type WatchLine = z.output<typeof WatchLine>
