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
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds for each machine to answer (10)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 3 no machine has room, 130 interrupted.
 */
import { collectAll, jobJson, jobsReach, startSomewhere } from '../cli/jobs.ts'
import { meshOptions } from '../cli/mesh-options.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/errors.ts'
import { cancel, forget, retry } from '../lib/jobs/cancel.ts'
import { collect, type Collected } from '../lib/jobs/collect.ts'
import { printLog } from '../lib/jobs/log.ts'
import { readJob } from '../lib/jobs/spool.ts'
import { jobLines, stateText } from '../lib/show/jobs.ts'
import { plain, quoted } from '../lib/text.ts'

const options = { ...meshOptions, target: { type: 'string' }, 'give-up': { type: 'boolean' } } as const
const VERBS = ['list', 'log', 'start', 'cancel', 'retry', 'forget']

await recipe(
  import.meta.filename,
  options,
  async (context) => {
    const { values, operands, print, printJson, note, colours, width } = context
    const [verb = 'list', id, ...others] = operands
    if (!VERBS.includes(verb)) throw new UsageError(`jobs takes ${VERBS.join(', ')}, not ${quoted(verb)}`)
    if (others.length > 0 || (verb === 'list') !== (id === undefined))
      throw new UsageError(
        verb === 'list' ? '`just jobs list` takes no ID' : `\`just jobs ${verb}\` takes one ID`,
      )
    const { reach, limits } = await jobsReach(context)

    if (id === undefined) {
      const jobs = await collectAll(reach, limits, context)
      if (values.json) printJson({ jobs: jobs.map((each) => jobJson(each)) })
      else if (jobs.length > 0)
        jobLines(jobs, { colours, width, now: new Date() }).forEach((line) => print(line))
      else if (!values.quiet) note('no jobs: `just enqueue CMD` queues one')
      return EXIT.done
    }
    if (verb === 'log') {
      await printLog((await collect(id, reach, limits)).job, process.stdout, reach, limits.signal)
      return EXIT.done
    }
    const show = ({ job, silent }: Collected) => {
      if (values.json) printJson(jobJson({ job, ...(silent === undefined ? {} : { silent }) }))
      else if (!values.quiet) print(`${job.id}: ${plain(stateText(job, silent, new Date()), 500)}`)
    }
    if (verb === 'forget') {
      await readJob(id)
      await forget(id)
      if (values.json) printJson({ id, forgotten: true })
      return EXIT.done
    }
    if (verb === 'start') {
      const { job, started, reason } = await startSomewhere(id, reach, context)
      show({ job, ...(reason === undefined ? {} : { silent: reason }) })
      return started ? EXIT.done : EXIT.failed
    }
    show({
      job: verb === 'retry' ? await retry(id) : await cancel(id, values['give-up'] ?? false, reach, limits),
    })
    return EXIT.done
  },
  { operands: true },
)
