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
import { countOf, timeoutSecondsOf } from '../cli/numbers.ts'
import { outletOptions, outletsOf } from '../cli/outlet-options.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { oneAtATime } from '../lib/base/one-at-a-time.ts'
import { messageOf } from '../lib/base/text.ts'
import { signed } from '../lib/model/trit.ts'
import { WINDOW_MS } from '../verbs/bounds.ts'
import { readNode } from '../verbs/see/node-trit.ts'
import { countUnmeasured, deliver } from '../verbs/watch/outlets.ts'

const options = {
  window: { type: 'string' },
  bare: { type: 'boolean' },
  alone: { type: 'boolean' },
  ...outletOptions,
} as const

await recipe(import.meta.filename, options, async ({ values, signal, print, printJson, note, deps }) => {
  for (const flag of ['json', 'log', 'textfile'] as const)
    if (values.bare && values[flag] !== undefined)
      throw new UsageError(`--bare and --${flag} exclude each other`)
  const outlets = outletsOf(values)
  const windowMs = countOf('--window', values.window, WINDOW_MS)
  const timeoutSeconds = timeoutSecondsOf(values.timeout)

  const work = async () => {
    const reading = readNode({ windowMs, timeoutSeconds }, deps, values.bare)
    const { document, processes } = await reading.catch(async (error: unknown) => {
      const thrown = await countUnmeasured(outlets, error, signal)
      thrown.forEach((each) => note(messageOf(each)))
      throw error
    })
    const { trit, scumProcesses } = document
    if (values.json) printJson(document)
    else if (!values.quiet || trit === 1) {
      print(values.bare ? signed(trit) : `Node trit: ${signed(trit)}`)
      if (!values.bare) print(`SCUM processes: ${scumProcesses}`)
    }
    const logLine = JSON.stringify({ at: new Date().toISOString(), ...document })
    const thrown = await deliver(outlets, { ...document, processes }, logLine, signal)
    thrown.slice(1).forEach((error) => note(messageOf(error)))
    if (thrown.length > 0) throw thrown[0]
  }

  if (!values.alone) await work()
  else if (!(await oneAtATime('node-trit', work))) deps.hint('another run is still going on')
  return EXIT.done
})
