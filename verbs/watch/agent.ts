import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure, InputError, UsageError } from '../../lib/base/errors.ts'
import { standalone } from '../../lib/base/own-program.ts'
import { messageOf, plain, quoted } from '../../lib/base/text.ts'
import { measureHere } from '../../lib/machine/measure-here.ts'
import { NotAdmitted } from '../../lib/mesh/nats/connect.ts'
import { Publication } from '../../lib/mesh/nats/publish.ts'
import { recordText } from '../../lib/mesh/nats/record.ts'
import { natsSettings, type NatsSettings } from '../../lib/mesh/nats/settings.ts'
import { isNodeName, NODE_NAME } from '../../lib/mesh/nats/subjects.ts'
import { thisMachine } from '../../lib/mesh/this-machine.ts'
import { OwnCost } from '../../lib/monitor/own-cost.ts'
import { launchdPlist, systemdService } from '../../lib/monitor/service-units.ts'
import { AGENT_SECONDS } from '../bounds.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import type { AgentEvent, AgentInput, AgentResult, AgentUnitsInput, AgentUnitsResult } from './schemas.ts'

/** Between two tries to reach the server: each is twice as long as the one before, and up to a half shorter. */
const PAUSE_SECONDS = { first: 1, most: 30 }
/** For what is left to do when it is told to end. */
const FAREWELL_MS = 2000

/**
 * Puts what this machine measures of itself into the bucket, again and again until it is told to end; then its record is
 * taken away. With `once` it does so one time, and the record stays until it is old.
 *
 * @param tell told of each thing that happens
 * @throws InputError, Failure; the signal's reason
 */
export async function agent(
  input: AgentInput,
  deps: Deps,
  tell: (event: AgentEvent) => void = () => {},
): Promise<AgentResult> {
  const { name, settings, seconds } = await wantedOf(input)
  const limits = () => ({ timeoutMs: timeoutMsOf(input), signal: deps.signal })
  const record = async () => {
    const { measurement } = await measureHere({}, limits())
    return recordText(name, measurement, seconds)
  }
  if (input.once) {
    const publication = await Publication.open(settings, name, limits())
    try {
      await publication.put(await record(), limits())
    } finally {
      await publication.close(farewell())
    }
    return { name, server: settings.server, published: 1 }
  }
  const cost = new OwnCost()
  let published = 0
  let known = false
  let pauseSeconds = PAUSE_SECONDS.first
  for (;;) {
    try {
      const publication = await Publication.open(settings, name, limits())
      known = true
      tell({ event: 'connected', name, server: settings.server })
      await publishAll(publication)
    } catch (error) {
      deps.signal.throwIfAborted()
      // What is wrong from the start a person can mend; later it may be a server that is being set up anew.
      if (!(error instanceof Failure) || (error instanceof NotAdmitted && !known)) throw error
      const pause = pauseSeconds * (0.5 + Math.random() / 2)
      pauseSeconds = Math.min(PAUSE_SECONDS.most, pauseSeconds * 2)
      tell({ event: 'lost', reason: messageOf(error), againInSeconds: pause })
      await pauseFor(pause, deps.signal)
      deps.signal.throwIfAborted()
    }
  }

  /** Until the connection or this program ends. */
  async function publishAll(publication: Publication): Promise<never> {
    const either = AbortSignal.any([deps.signal, publication.ended])
    try {
      for (;;) {
        const began = performance.now()
        await tellRecord(publication)
        // Machines that were started together don't stay together.
        const nextMs = seconds * 1000 * (0.9 + Math.random() / 10) - (performance.now() - began)
        await pauseFor(nextMs / 1000, either)
        deps.signal.throwIfAborted()
        if (publication.ended.aborted)
          throw new Failure(`NATS at ${settings.server} has ended the connection`)
      }
    } finally {
      if (deps.signal.aborted && !publication.ended.aborted)
        await publication.remove(farewell()).then(
          () => tell({ event: 'removed', name }),
          () => {},
        )
      await publication.close(farewell())
    }
  }

  async function tellRecord(publication: Publication): Promise<void> {
    let text: string
    try {
      text = await record()
    } catch (error) {
      deps.signal.throwIfAborted()
      // A machine that is too busy to say so now may say it the next time; its record grows old meanwhile.
      tell({ event: 'failed', reason: messageOf(error) })
      return
    }
    await publication.put(text, limits())
    published += 1
    pauseSeconds = PAUSE_SECONDS.first
    tell({ event: 'published', name, count: published, ...cost.now() })
  }
}

/** A service of systemd or launchd that does the same; nothing is installed. @throws InputError */
export async function agentUnits(input: AgentUnitsInput): Promise<AgentUnitsResult> {
  const { launchd = process.platform === 'darwin', system = false } = input
  const { name, seconds, source } = await wantedOf(input)
  const config = input.sourceConfig
  const argv = standalone(
    'agent',
    [
      `--source=${source}`,
      ...(config === undefined ? [] : [`--source-config=${resolve(config)}`]),
      `--name=${name}`,
      `--interval=${seconds}`,
    ],
    LEAN,
  )
  return { units: [launchd ? launchdPlist(argv, system) : systemdService(argv, system)] }
}

/** As in the justfile: a small heap, and no compiler for what runs once in ten seconds. */
const LEAN = ['--max-semi-space-size=1', '--max-old-space-size=24', '--no-opt']

const farewell = () => ({ timeoutMs: FAREWELL_MS, signal: new AbortController().signal })

async function pauseFor(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, seconds * 1000), undefined, { signal }).catch(() => {})
}

/** What the input says, and the environment. @throws UsageError */
async function wantedOf(
  input: AgentUnitsInput,
): Promise<{ name: string; settings: NatsSettings; seconds: number; source: string }> {
  const source = input.source ?? process.env.RESOURCE_SHARING_SOURCE ?? ''
  if (!source.startsWith('nats='))
    throw new UsageError(
      source === ''
        ? 'say where this machine is to tell its load: --source nats=URL, or RESOURCE_SHARING_SOURCE'
        : `--source ${quoted(source)}: an agent tells a server of NATS alone: --source nats=URL`,
    )
  const name = input.name ?? thisMachine().name
  if (!isNodeName(name))
    throw new InputError('name', `${quoted(plain(name))} is no name of a machine here: ${NODE_NAME}`)
  return {
    name,
    source,
    settings: await natsSettings(source, input.sourceConfig),
    seconds: input.intervalSeconds ?? AGENT_SECONDS.usual,
  }
}
