import { createReadStream } from 'node:fs'
import { PassThrough, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure } from '../../base/errors.ts'
import type { Reach } from '../../mesh/remote/host.ts'
import type { Job } from './job.ts'
import { runName } from './runner.ts'
import { logFile } from './spool.ts'
import { streamFrom } from './transfer.ts'

/**
 * What a job has printed, byte for byte: of one that runs, so far.
 *
 * @throws Failure when there is none, or its machine does not answer
 */
export async function printLog(job: Job, to: Writable, reach: Reach, signal: AbortSignal): Promise<void> {
  const { now, id } = job
  if (now.state === 'running' || now.state === 'ended') {
    const through = new PassThrough()
    const written = pipeline(through, to, { end: false })
    await Promise.all([
      streamFrom(now.host, 'run_log', { ID: runName(id, job.attempt) }, through, reach, signal),
      written,
    ])
    return
  }
  const from = createReadStream(await logFile(id))
  await pipeline(from, to, { end: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new Failure(`job ${id} is ${now.state}: it has printed nothing that is here`)
  })
}
