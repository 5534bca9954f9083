import { execa } from 'execa'
import { Failure } from '../errors.ts'
import { messageOf, plain } from '../text.ts'
import { BadAnswer, parseAnswer, type Answer } from './answer.ts'
import { probe } from './probe.ts'

export type LocalOptions = {
  /** With it, the processes too, over a window of so many milliseconds. */
  windowMs?: number
  timeoutMs: number
  signal: AbortSignal
}

/**
 * Asks this machine with the same program that asks the others.
 *
 * @throws Failure when the machine does not answer in time or its answer makes no sense
 */
export async function measureHere({ windowMs, timeoutMs, signal }: LocalOptions): Promise<Answer> {
  const { nonce, script } = probe(windowMs === undefined ? {} : { windowMs })
  const result = await execa('/bin/sh', ['-s'], {
    input: script,
    timeout: Math.max(1, timeoutMs),
    cancelSignal: signal,
    forceKillAfterDelay: 300,
    stripFinalNewline: false,
    reject: false,
  })
  signal.throwIfAborted()
  if (result.timedOut) throw new Failure('this machine did not answer within the time: raise --timeout')
  try {
    return parseAnswer(result.stdout, nonce)
  } catch (error) {
    if (!(error instanceof BadAnswer)) throw error
    const cause = result.failed ? plain(result.shortMessage ?? '') : messageOf(error)
    throw new Failure(`this machine can't be measured: ${cause}`, { cause: error })
  }
}
