import type { Lab } from '../test/lab/lab.ts'

/** What one run of a command took, in seconds: of a clock, and of a CPU with all that it started. */
export type Took = { seconds: number; cpu: number }

type How = {
  rounds: number
  /** Run before each, untimed. */
  prepare?: string
  /** Whether a command may end with another status than 0. */
  mayFail?: boolean
}

/**
 * Runs commands on n1 of a lab, in this repository: in each round each once, one after the other, timed by hyperfine.
 *
 * @returns of each command, what it took in each round
 * @throws Error where one fails, unless it may
 */
export async function inTurns(lab: Lab, commands: readonly string[], how: How): Promise<Took[][]> {
  const took: Took[][] = commands.map(() => [])
  for (let round = 0; round < how.rounds; round += 1)
    for (const [index, each] of (await once(lab, commands, how)).entries()) took[index]?.push(each)
  return took
}

async function once(
  lab: Lab,
  commands: readonly string[],
  { prepare, mayFail = false }: How,
): Promise<Took[]> {
  const file = '/run/hyperfine.json'
  const argv = ['hyperfine', '--runs', '1', '--warmup', '0', '--shell', 'none', '--style', 'none']
  if (mayFail) argv.push('--ignore-failure')
  if (prepare !== undefined) argv.push('--prepare', prepare)
  const { exitCode, stderr } = await lab.exec('n1', [...argv, '--export-json', file, ...commands], {
    cwd: '/srv/resource-sharing',
    timeoutMs: 600_000,
  })
  if (exitCode !== 0) throw new Error(`hyperfine: exit ${exitCode}: ${stderr.slice(-500)}`)
  const { stdout } = await lab.exec('n1', ['cat', file])
  const { results }: { results: { mean: number; user: number; system: number }[] } = JSON.parse(stdout)
  return results.map(({ mean, user, system }) => ({ seconds: mean, cpu: user + system }))
}
