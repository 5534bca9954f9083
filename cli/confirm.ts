import { createInterface } from 'node:readline'
import { EXIT, Failure, Interrupted, UsageError } from '../lib/base/errors.ts'

/** The person said no. */
export class Declined extends Failure {
  override name = 'Declined'
  override readonly exitCode = EXIT.refused
}

/**
 * Asks before something is killed or moved. Without a terminal there is nobody to ask.
 *
 * @throws UsageError without a terminal; Declined when the answer is not yes; Interrupted
 */
export async function confirm(what: string, signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`${what}? There is no terminal to ask on: say --yes`)
  // Not zx's `question`: at the end of the input it never answers.
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      terminal.once('SIGINT', () => reject(new Interrupted('interrupted')))
      terminal.once('close', () => reject(new Declined('nothing was done')))
      signal.addEventListener('abort', () => reject(signal.reason))
      terminal.question(`${what}? [y/N] `, resolve)
    })
    if (!/^y(?:es)?$/i.test(answer.trim())) throw new Declined('nothing was done')
  } finally {
    terminal.close()
  }
}
