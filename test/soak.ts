/**
 * Repetition for confidence: what `just test` proves with a short sample, many times over.
 *
 * Usage: just soak [NAME…] [--rounds N]    all of them one after the other, or those named; --help lists them
 *
 * It needs the lab (root, Linux) and hours. The exit code is 1 when one of them failed.
 */
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { SOAKS, type Soak } from './soaks.ts'

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function usage(line: string): never {
  say(`${line}; there are ${Object.keys(SOAKS).join(', ')}`)
  process.exit(2)
}

function commandOf({ test, torture }: Soak, rounds: number): [string, ...string[]] {
  if (torture !== undefined)
    return ['node', 'cli/start.mjs', 'test/migrate/torture.ts', ...torture, String(rounds)]
  return ['vitest', 'run', test.file, '--testNamePattern', test.title]
}

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
  allowPositionals: true,
})
if (values.help) {
  say('just soak [NAME…] [--rounds N]')
  for (const [name, { rounds, what }] of Object.entries(SOAKS)) say(`  ${name.padEnd(12)} ${rounds} ${what}`)
  process.exit(0)
}
const wanted = values.rounds === undefined ? undefined : Number(values.rounds)
if (wanted !== undefined && !(Number.isSafeInteger(wanted) && wanted >= 1))
  usage(`--rounds takes a whole number from 1, not "${values.rounds}"`)
const names = positionals.length > 0 ? positionals : Object.keys(SOAKS)
const failed: string[] = []
for (const name of names) if (SOAKS[name] === undefined) usage(`there is no soak "${name}"`)
for (const name of names) {
  const soak = SOAKS[name]
  if (soak === undefined) continue
  const rounds = wanted ?? soak.rounds
  say(`── ${name}: ${rounds} ${soak.what}`)
  const [file, ...args] = commandOf(soak, rounds)
  const env = { SOAK_ROUNDS: String(rounds) }
  const { exitCode } = await execa(file, args, { env, stdio: 'inherit', reject: false, preferLocal: true })
  if (exitCode !== 0) failed.push(name)
}
say(failed.length > 0 ? `failed: ${failed.join(', ')}` : `passed: ${names.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0
