import { verb } from '../verb.ts'
import { CancelJob, Enqueue, ForgetJob, ListJobs, Offload, RetryJob, StartJob } from './schemas.ts'

const RUNS = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true }

export const running = [
  verb({
    name: 'offload',
    title: 'Run a command on another machine',
    description:
      'Runs a command now on the machine with the most room and gives its exit status and the end of its output. For what takes minutes or more, use enqueue.',
    effect: RUNS,
    ...Offload,
    load: async () => (await import('./offload.ts')).offload,
  }),
  verb({
    name: 'enqueue',
    recipe: 'enqueue',
    title: 'Run a command later elsewhere',
    description:
      'Queues a command for a machine that has nothing to do: `just rebalance --apply` or `just jobs start ID` starts it. It runs at most once. list_jobs tells what becomes of it.',
    effect: RUNS,
    ...Enqueue,
    load: async () => (await import('./jobs.ts')).enqueue,
  }),
  verb({
    name: 'list_jobs',
    recipe: 'jobs',
    title: 'Queued commands',
    description:
      'What has become of the commands that were enqueued here. Where offload is allowed, their machines are asked and files of those that ended come back; else what was heard last.',
    effect: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
    ...ListJobs,
    load: async () => (await import('./jobs.ts')).listJobs,
  }),
  verb({
    name: 'start_job',
    recipe: 'jobs start ID',
    title: 'Start a queued command now',
    description: 'Starts a job on the machine with the most room.',
    effect: RUNS,
    ...StartJob,
    load: async () => (await import('./jobs.ts')).startJob,
  }),
  verb({
    name: 'cancel_job',
    recipe: 'jobs cancel ID',
    title: 'End a queued command',
    description: 'Ends a job wherever it is: nothing of it is left there.',
    effect: { ...RUNS, idempotentHint: true },
    ...CancelJob,
    load: async () => (await import('./jobs.ts')).cancelJob,
  }),
  verb({
    name: 'retry_job',
    recipe: 'jobs retry ID',
    title: 'Queue a command again',
    description: 'Queues a job again that is over.',
    effect: { ...RUNS, openWorldHint: false },
    ...RetryJob,
    load: async () => (await import('./jobs.ts')).retryJob,
  }),
  verb({
    name: 'forget_job',
    recipe: 'jobs forget ID',
    title: 'Remove a command that is over',
    description: 'Removes a job that is over, with its log.',
    effect: { ...RUNS, openWorldHint: false },
    ...ForgetJob,
    load: async () => (await import('./jobs.ts')).forgetJob,
  }),
]
