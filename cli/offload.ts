import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../lib/errors.ts'
import type { Work } from '../lib/jobs/job.ts'
import { offload, offloadToFirst } from '../lib/jobs/offload.ts'
import { Connections } from '../lib/mesh/connections.ts'
import { plain } from '../lib/text.ts'
import type { meshOptions } from './mesh-options.ts'
import { timeoutMs } from './numbers.ts'
import type { Context } from './recipe.ts'
import { nowhere, placesFor, targetOf } from './work.ts'

type OffloadContext = Pick<
  Context<typeof meshOptions & { target: { type: 'string' }; wait: { type: 'boolean' } }>,
  'values' | 'signal' | 'note'
>
type Outcome = { exitCode: number; notes: string[] } | { nowhere: string }

const ASK_AGAIN_MS = 5000
/** One machine that is known, over a connection that is kept. */
const ASK_ONE_AGAIN_MS = 500
/** execvp's, as a shell tells them. */
const [NOT_RUNNABLE, NOT_FOUND] = [126, 127]

/** Runs it on the machine that `--target` names, else on the best that takes it; with `--wait`, once there is one. */
export async function runSomewhere(context: OffloadContext, work: Work): Promise<Outcome> {
  const { values, signal, note } = context
  const { stdin, stdout, stderr } = process
  const terminal = { stdin: stdin.isTTY ? undefined : stdin, stdout, stderr }
  const reach = { connections: await Connections.open(), connectMs: timeoutMs(values.timeout) }
  if (values.target !== undefined) {
    const host = await targetOf(context, values.target)
    for (let waits = false; ; waits = true) {
      const outcome = await offload(host, work, terminal, { reach, signal, settled: false })
      if (outcome.begun) return outcome
      const why = `${host.name}: ${outcome.reason}`
      if (!values.wait || !outcome.later) throw new Failure(why)
      if (!waits && !values.quiet) note(`${plain(why, 300)}: waiting`)
      await sleep(ASK_ONE_AGAIN_MS, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
  for (let round = 0; ; round += 1) {
    const again = round > 0
    const asking = again ? { ...context, values: { ...values, quiet: true } } : context
    const choice = await placesFor(asking, work.cpu)
    const outcome = await offloadToFirst(choice.places, work, terminal, { reach, signal })
    if ('exitCode' in outcome) return outcome
    const why = nowhere(choice, outcome.refused)
    if (!values.wait) return { nowhere: why }
    if (!again && !values.quiet) note(`${plain(why, 300)}: waiting`)
    await sleep(ASK_AGAIN_MS, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

/** Runs it here, as the shell would: a terminal's Ctrl-C reaches it as it reaches this program. */
export async function runHere({ argv: [command, ...args], cwd }: Work, signal: AbortSignal): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', ...(cwd === '' ? {} : { cwd }) })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  try {
    const ended = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, ending) => resolve(code ?? 128 + (ending ? constants.signals[ending] : 0)))
    })
    signal.throwIfAborted()
    return ended
  } catch (error) {
    signal.throwIfAborted()
    const reason = error instanceof Error && 'code' in error ? error.code : undefined
    if (reason !== 'ENOENT' && reason !== 'EACCES') throw error
    process.stderr.write(`${plain(command)}: ${reason === 'ENOENT' ? 'not found' : 'can not be run'}\n`)
    return reason === 'ENOENT' ? NOT_FOUND : NOT_RUNNABLE
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
