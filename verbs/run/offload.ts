import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure, NoSuitableNode } from '../../lib/base/errors.ts'
import { plain } from '../../lib/base/text.ts'
import { Connections } from '../../lib/mesh/connections.ts'
import type { Terminal } from '../../lib/work/jobs/foreground.ts'
import { offload as offloadTo, offloadToFirst } from '../../lib/work/jobs/offload.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import type { OffloadInput, OffloadResult } from './schemas.ts'
import { Tail } from './tail.ts'
import { nowhere, placesFor, targetOf, workOf } from './work.ts'

/** It was run on a machine; or on none, and why. */
export type Ran = { node: string; exitCode: number; notes: string[] } | { nowhere: string }

const ASK_AGAIN_MS = 5000
/** One machine that is known, over a connection that is kept. */
const ASK_ONE_AGAIN_MS = 500
/** Of each stream, what is told of it. */
const MOST_OUTPUT_BYTES = 16_000

/** Runs a command on another machine, and tells the end of what it printed. @throws Failure, NoSuitableNode */
export async function offload(input: OffloadInput, deps: Deps): Promise<OffloadResult> {
  const [stdout, stderr] = [new Tail(MOST_OUTPUT_BYTES), new Tail(MOST_OUTPUT_BYTES)]
  const stdin = input.stdin === undefined ? undefined : Readable.from([Buffer.from(input.stdin)])
  const ran = await runSomewhere(input, { stdin, stdout, stderr }, deps)
  if ('nowhere' in ran) throw new NoSuitableNode(plain(ran.nowhere, 500))
  const truncated = stdout.truncated || stderr.truncated
  return { ...ran, stdout: stdout.text(), stderr: stderr.text(), truncated }
}

/**
 * The same with streams of the caller's: on the machine that is named, else on the best that takes it; with `wait`, once
 * there is one.
 *
 * @throws Failure; the signal's reason
 */
export async function runSomewhere(input: OffloadInput, terminal: Terminal, deps: Deps): Promise<Ran> {
  const { signal, hint } = deps
  const work = await workOf(input)
  const reach = { connections: await Connections.open(), connectMs: timeoutMsOf(input) }
  if (input.target !== undefined) {
    const host = await targetOf(input, deps, input.target)
    for (let waits = false; ; waits = true) {
      const outcome = await offloadTo(host, work, terminal, { reach, signal, settled: false })
      if (outcome.begun) return { node: host.name, exitCode: outcome.exitCode, notes: outcome.notes }
      const why = `${host.name}: ${outcome.reason}`
      if (!input.wait || !outcome.later) throw new Failure(why)
      if (!waits) hint(`${plain(why, 300)}: waiting`)
      await sleep(ASK_ONE_AGAIN_MS, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
  for (let round = 0; ; round += 1) {
    // What was said of the mesh once is not said again each time.
    const asking = round > 0 ? { ...deps, hint: () => {} } : deps
    const choice = await placesFor(input, asking, work.cpu)
    const outcome = await offloadToFirst(choice.places, work, terminal, { reach, signal })
    if ('exitCode' in outcome)
      return { node: outcome.host.name, exitCode: outcome.exitCode, notes: outcome.notes }
    const why = nowhere(choice, outcome.refused)
    if (!input.wait) return { nowhere: why }
    if (round === 0) hint(`${plain(why, 300)}: waiting`)
    await sleep(ASK_AGAIN_MS, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}
