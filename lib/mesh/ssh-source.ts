import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pMap from 'p-map'
import { run, type Ended, type Limits } from '../base/command.ts'
import { commandsStarted } from '../base/commands-started.ts'
import { Failure, Interrupted } from '../base/errors.ts'
import { BadAnswer, parseAnswer, type Answer } from '../machine/answer.ts'
import { measureHere } from '../machine/measure-here.ts'
import { probe, type Sampling } from '../machine/probe.ts'
import { lastLine, messageOf } from '../base/text.ts'
import { connectMsBeforeAnswer } from './connect-time.ts'
import type { Connections, KeptFiles } from './connections.ts'
import { runOverKept } from './kept-session.ts'
import type { MeasurementSource, MeshNode, Report, SshDestination } from './node.ts'
import { ENDLESS, lateFault, sshFault, wasCutOff, wasTurnedAway } from './ssh-faults.ts'
import { sshArguments } from './ssh.ts'

export type SshSourceOptions = Sampling & {
  connections: Connections
  /** How many nodes are asked at the same time. */
  fanout: number
  /** Until when the last answer counts, in milliseconds of `performance.now()`. */
  deadlineMs: number
}

/** A kept connection that is silent for this share of the time left is taken for dead. */
const KEPT_SHARE = 0.25
/** Characters of an answer, and of what a login shell says around it; a process is about seven hundred. */
const MOST_LOAD = 1_000_000
const MOST_PROCESSES = 64_000_000
/** How long one waits that was turned away, before it tries again. */
const TURNED_AWAY_PAUSES_MS = [300, 600, 1200, 2400]

/** Measures nodes by a probe over ssh, all at once, and this machine by the same probe without ssh. */
export function sshSource(options: SshSourceOptions): MeasurementSource {
  return {
    measure(nodes, signal) {
      const asked = new AbortController()
      const stopped = AbortSignal.any([signal, asked.signal])
      setMaxListeners(0, stopped) // one for each ssh, however many there are
      return new ReadableStream<Report>({
        async start(controller) {
          const enqueue = async (node: MeshNode) => controller.enqueue(await report(node, options, stopped))
          // Not stopped by the first error: every ssh is waited for before this ends.
          await pMap(nodes, enqueue, { concurrency: options.fanout, stopOnError: false }).catch(
            (error: unknown) => {
              signal.throwIfAborted()
              throw error instanceof AggregateError ? error.errors[0] : error
            },
          )
          controller.close()
        },
        cancel: (reason) => asked.abort(reason),
      })
    },
  }
}

async function report(node: MeshNode, options: SshSourceOptions, signal: AbortSignal): Promise<Report> {
  signal.throwIfAborted()
  if (node.left) return { node, ...node.left }
  const began = performance.now()
  const answered = (answer: Answer): Report => {
    const found = { ...node, os: node.os === 'unknown' ? answer.measurement.os : node.os }
    return { node: found, outcome: 'ok', ...answer, ageMs: performance.now() - began }
  }
  if (node.self) {
    try {
      return answered(await measureHere(sampling(options), { timeoutMs: options.deadlineMs - began, signal }))
    } catch (error) {
      if (!(error instanceof Failure) || error instanceof Interrupted) throw error
      return { node, outcome: 'bad-output', reason: messageOf(error) }
    }
  }
  if (!node.ssh) return { node, outcome: 'skipped', reason: 'no way to reach it is known' }
  const files = await options.connections.filesForMeasuring(node.ssh)
  let attempt = await ask(node.ssh, files, options, signal)
  if (attempt.outcome !== 'ok' && attempt.outcome !== 'bad-output') {
    if (attempt.cutOff) {
      // Who shared the connection was one too many, and it ended for all: this one has its own now.
      const { controlPath: _, ...own } = files
      attempt = await ask(node.ssh, { ...own, kept: false }, options, signal)
    } else if (files.kept && files.controlPath !== undefined) {
      // The machine may have been restarted, or this one has changed networks, since the connection was made.
      await options.connections.drop(files.controlPath)
      attempt = await ask(node.ssh, { ...files, kept: false }, options, signal)
    }
  }
  for (const pauseMs of TURNED_AWAY_PAUSES_MS) {
    if (attempt.outcome === 'ok' || !attempt.turnedAway) break
    if (performance.now() + pauseMs > options.deadlineMs) break
    // A random part more, so that those who were turned away together do not come back together.
    await sleep(pauseMs * (1 + Math.random()), undefined, { signal }).catch(() => signal.throwIfAborted())
    attempt = await ask(node.ssh, { ...files, kept: false }, options, signal)
  }
  if (attempt.outcome === 'ok') return answered(attempt.answer)
  const { outcome, reason, turnedAway = false } = attempt
  return { node, outcome, reason: turnedAway ? `${reason}: too many at once? --fanout asks fewer` : reason }
}

function sampling({ windowMs, family = false }: SshSourceOptions): Sampling {
  return windowMs === undefined ? {} : { windowMs, family }
}

type Attempt =
  | { outcome: 'ok'; answer: Answer }
  | {
      outcome: 'unreachable' | 'timeout' | 'auth' | 'host-key' | 'bad-output'
      reason: string
      /** Its sshd, or that of a machine before it, closed the connection before it began. */
      turnedAway?: boolean
      /** The connection, shared with other runs, ended in the middle. */
      cutOff?: boolean
    }

type Files = KeptFiles & { alone: boolean }

/** One ssh, ended by its deadline at the latest and always reaped. */
async function ask(
  destination: SshDestination,
  files: Files,
  options: SshSourceOptions,
  signal: AbortSignal,
): Promise<Attempt> {
  const leftMs = options.deadlineMs - performance.now()
  if (leftMs <= 0)
    return { outcome: 'timeout', reason: 'no time was left to ask it: raise --timeout or --fanout' }
  const timeoutMs = files.kept ? Math.min(leftMs, leftMs * KEPT_SHARE + (options.windowMs ?? 0)) : leftMs
  const { nonce, script } = probe(sampling(options))
  const maxOutput = options.windowMs === undefined ? MOST_LOAD : MOST_PROCESSES
  const ended = await runThere(destination, script, files, connectMsBeforeAnswer(leftMs), {
    timeoutMs,
    signal,
    maxOutput,
  })
  const { stdout, stderr, exitCode, timedOut, missing, tooMuch } = ended
  if (tooMuch) return { outcome: 'bad-output', reason: ENDLESS }
  try {
    return { outcome: 'ok', answer: parseAnswer(stdout, nonce) }
  } catch (error) {
    if (!(error instanceof BadAnswer)) throw error
    if (missing) return { outcome: 'unreachable', reason: 'there is no ssh client on this machine' }
    if (timedOut) return lateFault(timeoutMs, { stdout, stderr }, nonce)
    if (exitCode === 255)
      return { ...sshFault(stderr), turnedAway: wasTurnedAway(stderr), cutOff: wasCutOff(stderr) }
    return { outcome: 'bad-output', reason: `${messageOf(error)}${said(stderr)}` }
  }
}

/** A script for sh on a machine: by an ssh, which keeps its connection for the next, or over the one that is kept. */
async function runThere(
  destination: SshDestination,
  input: string,
  files: Files,
  connectMs: number,
  limits: Limits,
): Promise<Ended> {
  const command = 'exec sh -s'
  const ssh = { file: 'ssh', args: sshArguments(destination, command, connectMs / 1000, files) }
  const { kept, alone, controlPath } = files
  if (!kept || !alone || controlPath === undefined) return await run({ ...ssh, input }, limits)
  // Who looks at commands sees the one that does the same.
  commandsStarted.publish(ssh)
  const began = performance.now()
  const ended = await runOverKept({ controlPath, command, input }, limits)
  if (ended) return ended
  const timeoutMs = limits.timeoutMs - (performance.now() - began)
  return await run({ ...ssh, input }, { ...limits, timeoutMs })
}

/** The last thing that the other side complained of. */
function said(stderr: string): string {
  const line = lastLine(stderr, 80)
  return line === undefined ? '' : ` (${line})`
}
