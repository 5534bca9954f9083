#!/usr/bin/env tsx
/**
 * node-trit: the trit of this machine and how many processes keep it busy; for people and for cron.
 *
 * Usage: just node-trit [options]
 *
 * Prints two lines, `Node trit: N` and `SCUM processes: N`: the processes that use more than 30 % of a CPU, measured
 * over a window (macOS: as ps shows it).
 *
 *   --window MS       length of the window in milliseconds (500)
 *   --bare            print only +1, 0 or -1, and measure no processes
 *   --log FILE        append one line of JSON: what --json prints, and `at`, the time
 *   --textfile F.prom write metrics for node_exporter's textfile collector
 *   --alert CMD       run CMD by sh once when the trit has been +1, or could not be measured, for N runs in a row, and
 *                     once when it has been another one for N runs in a row after that
 *   --for N           for --alert: so many runs (3)
 *   --alone           do nothing while another run with --alone is going on (for cron)
 *   --timeout S       seconds for measuring (10, and the window)
 *   --json            one JSON document
 *   -q, --quiet       print nothing unless the trit is +1
 *   -h, --help        this text
 *
 * CMD finds RESOURCE_SHARING_EVENT (overloaded, unmeasured or recovered), RESOURCE_SHARING_TRIT, RESOURCE_SHARING_LOAD1,
 * RESOURCE_SHARING_CPUS, RESOURCE_SHARING_RATIO, or RESOURCE_SHARING_REASON where the last run measured nothing, in its
 * environment and has 30 seconds. When it fails, the next run tries again if it still holds. The count is kept for each
 * CMD in $XDG_STATE_HOME/resource-sharing, or ~/.local/state/resource-sharing.
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted.
 */
import { alone } from '../cli/alone.ts'
import { countUnmeasured, deliver, outletOptions, outletsOf } from '../cli/monitor.ts'
import { timeoutMs, windowOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/errors.ts'
import { measureHere } from '../lib/node/local.ts'
import { ONLY_OWN, scumProcesses } from '../lib/node/processes.ts'
import { messageOf } from '../lib/text.ts'
import { signed, tritOf } from '../lib/trit.ts'

const options = {
  window: { type: 'string' },
  bare: { type: 'boolean' },
  alone: { type: 'boolean' },
  ...outletOptions,
} as const

await recipe(import.meta.filename, options, async ({ values, signal, print, printJson, note }) => {
  for (const flag of ['json', 'log', 'textfile'] as const)
    if (values.bare && values[flag] !== undefined)
      throw new UsageError(`--bare and --${flag} exclude each other`)
  const outlets = outletsOf(values)
  const windowMs = windowOf(values.window)

  const work = async () => {
    const leftMs = timeoutMs(values.timeout, 10 + windowMs / 1000) - performance.now()
    const measuring = measureHere(values.bare ? {} : { windowMs }, { timeoutMs: leftMs, signal })
    const answer = await measuring.catch(async (error: unknown) => {
      const thrown = await countUnmeasured(outlets, error, signal)
      thrown.forEach((each) => note(messageOf(each)))
      throw error
    })
    const { load1, cpus } = answer.measurement
    const processes = answer.processes ?? []
    const busy = scumProcesses(processes)
    const trit = tritOf(load1, cpus)
    const reading = { trit, load1, cpus, ratio: load1 / cpus, scumProcesses: busy.length }
    const own = answer.onlyOwnProcesses ? { onlyOwnProcesses: true } : {}
    const document = { ...reading, ...own, processes: busy }
    if (answer.onlyOwnProcesses && !values.quiet) note(ONLY_OWN)
    if (values.json) printJson(document)
    else if (!values.quiet || trit === 1) {
      print(values.bare ? signed(trit) : `Node trit: ${signed(trit)}`)
      if (!values.bare) print(`SCUM processes: ${busy.length}`)
    }
    const logLine = JSON.stringify({ at: new Date().toISOString(), ...document })
    const thrown = await deliver(outlets, { ...reading, processes }, logLine, signal)
    thrown.slice(1).forEach((error) => note(messageOf(error)))
    if (thrown.length > 0) throw thrown[0]
  }

  if (!values.alone) await work()
  else if (!(await alone('node-trit', work)) && !values.quiet) note('another run is still going on')
  return EXIT.done
})
