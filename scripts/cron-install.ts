#!/usr/bin/env tsx
/**
 * cron-install: cron keeps watch over this machine with node-trit.
 *
 * Usage: just cron-install [options]
 *
 * Writes a marked block into your crontab, in the place of the one that is there already, and prints it. Every other
 * line stays as it is. cron mails what a run prints: the trit when it is +1 (not with --alert, which tells by itself),
 * and errors. A run that finds an earlier one still going on does nothing.
 *
 *   --every N         run every N minutes of the hour, 1 to 59 (5)
 *   --log FILE        append one line of JSON in each run
 *   --textfile F.prom write metrics for node_exporter's textfile collector
 *   --alert CMD       run CMD when the machine is overloaded, and when it has recovered: see `just node-trit --help`
 *   --for N           for --alert: after so many runs in a row (3)
 *   --systemd         print a systemd user service and its timer instead, and install nothing
 *   --timeout S       seconds for everything (10)
 *   --json            one JSON document
 *   -q, --quiet       print nothing
 *   -h, --help        this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 5 refused because the block in the crontab is damaged, 130 interrupted.
 */
import { countOf, timeoutSecondsOf } from '../cli/numbers.ts'
import { outletOptions, outletsOf } from '../cli/outlet-options.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { EVERY_MINUTES } from '../verbs/bounds.ts'
import { cronInstall, cronUnits } from '../verbs/watch/cron.ts'

const options = { every: { type: 'string' }, systemd: { type: 'boolean' }, ...outletOptions } as const

await recipe(import.meta.filename, options, async ({ values, print, printJson, deps }) => {
  const everyMinutes = countOf('--every', values.every, EVERY_MINUTES)
  const input = { everyMinutes, ...outletsOf(values) }
  if (values.systemd) {
    const result = await cronUnits(input)
    if (values.json) printJson(result)
    else result.units.forEach(({ name, text }) => print(`# ~/.config/systemd/user/${name}\n${text}`))
    deps.hint('nothing was installed; then: systemctl --user enable --now resource-sharing.timer')
    return EXIT.done
  }
  const result = await cronInstall({ ...input, timeoutSeconds: timeoutSecondsOf(values.timeout) }, deps)
  if (values.json) printJson(result)
  else if (!values.quiet) result.lines.forEach(print)
  return EXIT.done
})
