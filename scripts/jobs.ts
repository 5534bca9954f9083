#!/usr/bin/env tsx
/**
 * jobs: what has become of the commands that were enqueued here.
 *
 * Usage: just jobs [list]           ask the machines where they run, and show all
 *        just jobs log ID           what it has printed, so far or in all
 *        just jobs start ID         start it now, on the machine with the most room
 *        just jobs cancel ID        end it, wherever it is: nothing of it is left there
 *        just jobs retry ID         queue it again, after it is done, failed, lost or cancelled
 *        just jobs forget ID        remove one that is over, with its log
 *
 * A job is queued, being sent, running, done with its exit status, failed before it could run, lost (its machine was
 * started again, or what held it was killed: how it ended nobody knows), or cancelled. Where a machine does not answer, what
 * is shown is what it last said, and since when. Output and files of what has ended are brought back by the way.
 *
 *   --target NAME       for start: on this machine, whatever its load
 *   --give-up           for cancel: call it lost where its machine does not answer; it may run there still
 *   --hosts A,B         for start: among these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds for each machine to answer (10)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 3 no machine has room, 130 interrupted.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { plain, quoted } from '../lib/base/text.ts'
import { jobLines, stateText } from '../lib/show/jobs.ts'
import { cancelJob, forgetJob, listJobs, retryJob, startJob, writeLog } from '../verbs/run/jobs.ts'
import type { JobDocument } from '../verbs/run/schemas.ts'

const options = { ...meshOptions, target: { type: 'string' }, 'give-up': { type: 'boolean' } } as const
const ACTIONS = ['list', 'log', 'start', 'cancel', 'retry', 'forget']

await recipe(
  import.meta.filename,
  options,
  async ({ values, operands, print, printJson, colours, width, deps }) => {
    const [action = 'list', id, ...others] = operands
    if (!ACTIONS.includes(action))
      throw new UsageError(`jobs takes ${ACTIONS.join(', ')}, not ${quoted(action)}`)
    if (others.length > 0 || (action === 'list') !== (id === undefined))
      throw new UsageError(
        action === 'list' ? '`just jobs list` takes no ID' : `\`just jobs ${action}\` takes one ID`,
      )
    const mesh = await meshInput(values)
    const { fanout, timeoutSeconds } = mesh
    const show = (job: JobDocument) => {
      if (values.json) printJson(job)
      else if (!values.quiet) print(`${job.id}: ${plain(stateText(job, new Date()), 500)}`)
    }

    if (id === undefined) {
      const result = await listJobs({ fanout, timeoutSeconds }, deps)
      if (values.json) printJson(result)
      else if (result.jobs.length > 0)
        for (const line of await jobLines(result.jobs, { colours, width, now: new Date() })) print(line)
      else deps.hint('no jobs: `just enqueue CMD` queues one')
      return EXIT.done
    }
    if (action === 'start') {
      const job = await startJob({ ...mesh, id, target: values.target }, deps)
      show(job)
      return job.started ? EXIT.done : EXIT.failed
    }
    if (action === 'log') await writeLog({ id, timeoutSeconds }, process.stdout, deps)
    else if (action === 'retry') show(await retryJob({ id }))
    else if (action === 'cancel')
      show(await cancelJob({ id, timeoutSeconds, giveUp: values['give-up'] }, deps))
    else {
      const result = await forgetJob({ id })
      if (values.json) printJson(result)
    }
    return EXIT.done
  },
  { operands: true },
)
