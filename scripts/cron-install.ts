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
import { everyOf, monitorArgv } from '../cli/cron.ts'
import { outletOptions } from '../cli/monitor.ts'
import { timeoutMs } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/errors.ts'
import { cronLine } from '../lib/monitor/cron-line.ts'
import { asBytes, asText, readCrontab, writeCrontab } from '../lib/monitor/crontab-command.ts'
import { blockOf, install } from '../lib/monitor/crontab.ts'
import { systemdUnits } from '../lib/monitor/systemd.ts'

const options = { every: { type: 'string' }, systemd: { type: 'boolean' }, ...outletOptions } as const

await recipe(import.meta.filename, options, async ({ values, signal, print, printJson, note }) => {
  const every = everyOf(values.every)
  const argv = monitorArgv(values)
  if (values.systemd) {
    const units = systemdUnits(every, argv)
    if (values.json) printJson({ units })
    else units.forEach(({ name, text }) => print(`# ~/.config/systemd/user/${name}\n${text}`))
    if (!values.quiet)
      note('nothing was installed; then: systemctl --user enable --now resource-sharing.timer')
    return EXIT.done
  }
  const limits = { timeoutMs: timeoutMs(values.timeout), signal }
  const before = await readCrontab(limits)
  const line = cronLine(every, argv, values.alert === undefined ? '' : '>/dev/null')
  const after = install(before, [asBytes(line)])
  if (after !== before) await writeCrontab(after, limits)
  const lines = (blockOf(after) ?? []).map(asText)
  if (values.json) printJson({ changed: after !== before, lines })
  else if (!values.quiet) lines.forEach(print)
  return EXIT.done
})
