import { z } from 'zod'
import { OUTCOMES } from '../../lib/work/migrate/folder.ts'
import { Entry } from '../../lib/work/migrate/journal.ts'
import { MigrationPlan } from '../../lib/work/migrate/plan.ts'
import { MAX_AGE_SECONDS, PAST_MIGRATIONS, RECOVER_WAIT_SECONDS } from '../bounds.ts'
import { pid } from '../hold/schemas.ts'
import { meshInput, nodeState, sums, windowMs } from '../see/schemas.ts'

const copyFiles = z
  .boolean()
  .optional()
  .describe('files that it has open, or runs from, go along where the target lacks them')

const moveInput = {
  ...meshInput,
  pid,
  host: z.string().optional().describe('where the process is, instead of this machine'),
  target: z.string().optional().describe('this machine, whatever its load'),
  via: z.enum(['ssh', 'taildrop']).optional().describe('how its memory goes (ssh)'),
  copyFiles,
  closeConnections: z.boolean().optional(),
  keepImages: z.boolean().optional().describe('leave the images of its memory on the target'),
  force: z.boolean().optional().describe("another user's process too"),
}

const refusal = z.strictObject({
  code: z.string(),
  at: z.enum(['source', 'target']),
  sentence: z.string(),
  advice: z.string().exactOptional(),
})
const passed = z
  .array(z.strictObject({ name: z.string(), refusals: z.array(refusal) }))
  .describe('better machines, and why not')

const decide = z.string().exactOptional().describe('what a person has to decide, where it is in doubt')

export const MigratePreflight = {
  input: z.strictObject(moveInput),
  result: z.strictObject({ dryRun: z.literal(true), ...MigrationPlan.shape, passed }),
}
export type MigratePreflightInput = z.output<typeof MigratePreflight.input>
export type MigratePreflightResult = z.output<typeof MigratePreflight.result>

export const MigrateScum = {
  input: z.strictObject(moveInput),
  result: z.strictObject({
    id: z.string(),
    outcome: z.enum(['moved', 'back', 'gone', 'doubt']),
    detail: z.string(),
    from: z.string(),
    to: z.string(),
    pid: z.int(),
    command: z.string(),
    tasks: z.int(),
    bytes: z.number(),
    files: z.array(z.string()).describe('what went along'),
    terminal: z.string().exactOptional().describe('where it was; just attach ID connects to where it is'),
    state: z
      .enum(['running', 'stopped', 'ended', 'unknown'])
      .exactOptional()
      .describe('there, a second later'),
    downtimeSeconds: z.number().exactOptional(),
    refused: z.enum(['by source', 'by target']).exactOptional().describe('before anything was touched'),
    interrupted: z.literal(true).exactOptional(),
    decide,
  }),
}
export type MigrateScumInput = z.output<typeof MigrateScum.input>
export type MigrateScumResult = z.output<typeof MigrateScum.result>

const listed = {
  id: z.string(),
  at: z.string(),
  from: z.string(),
  to: z.string(),
  pid: z.int(),
  command: z.string(),
  detail: z.string(),
}
const past = z.strictObject({ ...listed, outcome: z.enum(OUTCOMES) })

export const Migrations = {
  input: z.strictObject({
    count: z.int().min(PAST_MIGRATIONS.least).max(PAST_MIGRATIONS.most).optional(),
  }),
  result: z.strictObject({
    open: z.array(z.strictObject({ ...listed, state: z.enum(['under way', 'in doubt', 'to be swept']) })),
    over: z.array(past),
  }),
}
export type MigrationsInput = z.output<typeof Migrations.input>
export type MigrationsResult = z.output<typeof Migrations.result>

export const Terminals = {
  input: z.strictObject(meshInput),
  result: z.strictObject({
    terminals: z.array(
      z.strictObject({
        id: z.string().describe('of the migration'),
        node: z.string(),
        pid: z.int(),
        command: z.string(),
        uid: z.int(),
      }),
    ),
    unasked: z
      .array(z.strictObject({ node: z.string(), reason: z.string() }))
      .describe('machines that could not be asked'),
  }),
}
export type TerminalsInput = z.output<typeof Terminals.input>
export type TerminalsResult = z.output<typeof Terminals.result>

export const OneMigration = {
  input: z.strictObject({ id: z.string() }),
  result: z.union([z.strictObject({ plan: MigrationPlan, entries: z.array(Entry) }), past]),
}
export type OneMigrationInput = z.output<typeof OneMigration.input>
export type OneMigrationResult = z.output<typeof OneMigration.result>

export const MigrateRecover = {
  input: z.strictObject({
    ids: z.array(z.string()).optional().describe('without it all that are not over'),
    waitSeconds: z
      .number()
      .min(RECOVER_WAIT_SECONDS.least)
      .max(RECOVER_WAIT_SECONDS.most)
      .optional()
      .describe('try again for so long while a machine can not be reached'),
    forget: z.boolean().optional().describe('give them up: what is on the machines stays as it is'),
    timeoutSeconds: meshInput.timeoutSeconds,
  }),
  result: z.strictObject({
    migrations: z.array(
      z.strictObject({
        id: z.string(),
        outcome: z.enum(['moved', 'back', 'gone', 'doubt', 'forgotten']),
        detail: z.string(),
        from: z.string(),
        to: z.string(),
        pid: z.int(),
        command: z.string(),
        decide,
      }),
    ),
  }),
}
export type MigrateRecoverInput = z.output<typeof MigrateRecover.input>
export type MigrateRecoverResult = z.output<typeof MigrateRecover.result>

const cpu = z.number().describe('the load in CPUs that it is thought to add')
const reason = z.string()
const node = z.string()
/** What a plan is made of. */
const actions = {
  migrate: { kind: z.literal('migrate'), node, to: node, pid: z.int(), cpu, reason },
  throttle: { kind: z.literal('throttle'), node, pid: z.int(), cpu, reason },
  wake: { kind: z.literal('wake'), node, pid: z.int(), cpu, reason },
  start: { kind: z.literal('start'), node, job: z.string(), cpu, reason },
}
const went = {
  outcome: z.enum(['done', 'skipped', 'failed', 'in doubt', 'not begun']),
  detail: z.string(),
}

const planned = {
  ...sums,
  rule: z.literal([1, 2, 3]),
  actions: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject(actions.migrate),
      z.strictObject(actions.throttle),
      z.strictObject(actions.wake),
      z.strictObject(actions.start),
      z.strictObject({ kind: z.literal('none'), node, reason }),
    ]),
  ),
  predicted: z.strictObject(sums),
  passed: z
    .array(z.strictObject({ node, pid: z.int(), to: node, reason }))
    .describe('moves that were looked at and can not be made'),
  nodes: z.array(nodeState),
}

const rebalanceInput = z.strictObject({
  ...meshInput,
  maxAgeSeconds: z
    .number()
    .min(MAX_AGE_SECONDS.least)
    .max(MAX_AGE_SECONDS.most)
    .optional()
    .describe('do nothing by measurements that are older'),
  copyFiles,
  withTerminals: z.boolean().optional().describe('also processes of terminals, which move too'),
  windowMs,
})

export const PlanRebalance = { input: rebalanceInput, result: z.strictObject(planned) }
export const Rebalance = {
  input: rebalanceInput,
  result: z.union([
    z.strictObject({
      ...planned,
      applied: z
        .array(
          z.discriminatedUnion('kind', [
            z.strictObject({ ...actions.migrate, ...went }),
            z.strictObject({ ...actions.throttle, ...went }),
            z.strictObject({ ...actions.wake, ...went }),
            z.strictObject({ ...actions.start, ...went }),
          ]),
        )
        .exactOptional(),
    }),
    z.strictObject({ busy: z.literal(true), actions: z.tuple([]) }).describe('another one is under way here'),
  ]),
}
export type RebalanceInput = z.output<typeof rebalanceInput>
export type PlanRebalanceResult = z.output<typeof PlanRebalance.result>
export type RebalanceResult = z.output<typeof Rebalance.result>
