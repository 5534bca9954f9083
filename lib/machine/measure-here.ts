import { run, type Limits } from '../base/command.ts'
import { Failure } from '../base/errors.ts'
import { BadAnswer, parseAnswer, type Answer } from './answer.ts'
import { probe, type Sampling } from './probe.ts'

/**
 * Asks this machine with the same program that asks the others.
 *
 * @throws Failure when the machine does not answer in time or its answer makes no sense
 */
export async function measureHere(wanted: Sampling, limits: Limits): Promise<Answer> {
  const { nonce, script } = probe(wanted)
  const command = { file: '/bin/sh', args: ['-s'], input: script }
  const { stdout, timedOut } = await run(command, { ...limits, maxOutput: 64_000_000 })
  if (timedOut) throw new Failure('this machine did not answer within the time: raise --timeout')
  try {
    const answer = parseAnswer(stdout, nonce)
    // This program, which has just been busy starting, is not what keeps the machine busy.
    return answer.processes
      ? { ...answer, processes: answer.processes.filter(({ pid }) => pid !== process.pid) }
      : answer
  } catch (error) {
    if (!(error instanceof BadAnswer)) throw error
    throw new Failure(`this machine can't be measured: ${error.message}`, { cause: error })
  }
}
