import { EXIT, Failure, UsageError } from '../lib/errors.ts'

/** The person said no. */
class Declined extends Failure {
  override name = 'Declined'
  override readonly exitCode = EXIT.refused
}

/**
 * Asks before something is killed or moved. Without a terminal there is nobody to ask.
 *
 * @param yes whether `--yes` was said
 * @throws UsageError without a terminal and without `--yes`; Declined when the answer is not yes
 */
export async function confirm(what: string, yes: boolean): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`${what}? There is no terminal to ask on: say --yes`)
  const { question } = await import('zx')
  const answer = await question(`${what}? [y/N] `, { input: process.stdin, output: process.stderr })
  if (!/^y(es)?$/i.test(answer.trim())) throw new Declined('nothing was done')
}
