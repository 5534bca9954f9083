import { z } from 'zod'
import { EXPECTED_CPUS } from '../bounds.ts'
import { meshInput } from '../see/schemas.ts'

const command = z.array(z.string()).min(1).describe('program and arguments; no shell takes them apart')

const workInput = {
  command,
  send: z.array(z.string()).optional().describe('paths that go there first'),
  return: z.array(z.string()).optional().describe('relative paths that come back at the end'),
  cwd: z.string().optional().describe('folder to run in: below what was sent, or of that machine'),
  cpus: z
    .number()
    .min(EXPECTED_CPUS.least)
    .max(EXPECTED_CPUS.most)
    .optional()
    .describe('CPUs it is expected to use (1)'),
  folder: z.string().optional().describe('absolute: where relative paths begin, and files come back to'),
}
const target = z.string().optional().describe('on this machine, whatever its load')

export const Offload = {
  input: z.strictObject({
    ...meshInput,
    ...workInput,
    target,
    wait: z.boolean().optional().describe('where no machine has room, wait for one'),
    stdin: z.string().optional().describe('what it reads'),
  }),
  result: z.strictObject({
    node: z.string(),
    exitCode: z.int().describe('its own; 128 + N where signal N ended it'),
    stdout: z.string().describe('its end, where it is long'),
    stderr: z.string(),
    truncated: z.boolean().describe('whether the beginning of one of them is left out'),
    notes: z.array(z.string()).describe('what to know of the files that came back'),
  }),
}
export type OffloadInput = z.output<typeof Offload.input>
export type OffloadResult = z.output<typeof Offload.result>
export type WorkInput = Pick<OffloadInput, keyof typeof workInput>

const state = z.enum([
  'queued',
  'sending',
  'starting',
  'running',
  'ended',
  'done',
  'failed',
  'lost',
  'cancelled',
])

export const Enqueue = {
  input: z.strictObject({ ...workInput, name: z.string().optional().describe('what lists call it') }),
  result: z.strictObject({
    id: z.string(),
    name: z.string().exactOptional(),
    command: z.array(z.string()),
    state: z.literal('queued'),
    queuedAt: z.iso.datetime(),
  }),
}
export type EnqueueInput = z.output<typeof Enqueue.input>
export type EnqueueResult = z.output<typeof Enqueue.result>

/** A job, as its machine says that it is now. */
const job = z.strictObject({
  id: z.string(),
  name: z.string().exactOptional(),
  command: z.array(z.string()),
  state,
  node: z.string().exactOptional(),
  exitCode: z.int().exactOptional(),
  reason: z.string().exactOptional(),
  boot: z.string().exactOptional(),
  pid: z.int().exactOptional(),
  heardAt: z.iso.datetime().exactOptional(),
  doneAt: z.iso.datetime().exactOptional(),
  notes: z.array(z.string()).exactOptional(),
  silent: z.string().exactOptional().describe('why its machine can not be asked now'),
  attempt: z.int(),
  queuedAt: z.iso.datetime(),
  cpu: z.number(),
  returns: z.array(z.string()),
  folder: z.string(),
})
export type JobDocument = z.output<typeof job>

export const ListJobs = {
  input: z.strictObject({
    fanout: meshInput.fanout,
    timeoutSeconds: meshInput.timeoutSeconds,
    ask: z.boolean().optional().describe('ask where they run, and bring back what has ended (true)'),
  }),
  result: z.strictObject({ jobs: z.array(job) }),
}
export type ListJobsInput = z.output<typeof ListJobs.input>
export type ListJobsResult = z.output<typeof ListJobs.result>

const one = { id: z.string(), timeoutSeconds: meshInput.timeoutSeconds }
export const StartJob = {
  input: z.strictObject({ ...meshInput, id: z.string(), target }),
  result: job.extend({ started: z.boolean() }),
}
export const CancelJob = {
  input: z.strictObject({
    ...one,
    giveUp: z.boolean().optional().describe('call it lost where its machine does not answer'),
  }),
  result: job,
}
export const RetryJob = { input: z.strictObject(one), result: job }
export const ForgetJob = {
  input: z.strictObject(one),
  result: z.strictObject({ id: z.string(), forgotten: z.literal(true) }),
}
export type JobInput = z.output<typeof RetryJob.input>
export type StartJobInput = z.output<typeof StartJob.input>
export type StartJobResult = z.output<typeof StartJob.result>
export type CancelJobInput = z.output<typeof CancelJob.input>
export type ForgetJobResult = z.output<typeof ForgetJob.result>
