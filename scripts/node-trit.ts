#!/usr/bin/env tsx
/**
 * node-trit: the trit of this machine and how many processes keep it busy; for people and for cron.
 *
 * Usage: just node-trit [options]
 *
 * Prints two lines, `Node trit: N` and `SCUM processes: N`: the processes that use more than 30 % of a CPU, measured
 * over a window (macOS: as ps shows it).
 *
 *   --window MS   length of the window in milliseconds (500)
 *   --bare        print only +1, 0 or -1, and measure no processes
 *   --timeout S   seconds for everything (10, and the window)
 *   --json        one JSON document
 *   -q, --quiet   print nothing unless the trit is +1
 *   -h, --help    this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted.
 */
import { countOf, timeoutMs } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/errors.ts'
import { measureHere } from '../lib/node/local.ts'
import { scumProcesses } from '../lib/node/processes.ts'
import { signed, tritOf } from '../lib/trit.ts'

const options = { window: { type: 'string' }, bare: { type: 'boolean' } } as const

await recipe(import.meta.filename, options, async ({ values, signal, print }) => {
  if (values.bare && values.json) throw new UsageError('--bare and --json exclude each other')
  const windowMs = countOf('--window', values.window ?? '500', {
    least: 100,
    most: 60_000,
    unit: 'milliseconds',
  })
  const leftMs = timeoutMs(values.timeout, 10 + windowMs / 1000) - performance.now()
  const answer = await measureHere(values.bare ? {} : { windowMs }, { timeoutMs: leftMs, signal })
  const { load1, cpus } = answer.measurement
  const trit = tritOf(load1, cpus)
  const processes = scumProcesses(answer.processes ?? [])
  if (values.json)
    print(
      JSON.stringify(
        { trit, load1, cpus, ratio: load1 / cpus, scumProcesses: processes.length, processes },
        null,
        2,
      ),
    )
  else if (!values.quiet || trit === 1) {
    print(values.bare ? signed(trit) : `Node trit: ${signed(trit)}`)
    if (!values.bare) print(`SCUM processes: ${processes.length}`)
  }
  return EXIT.done
})
