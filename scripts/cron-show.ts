#!/usr/bin/env tsx
/**
 * cron-show: what cron does for this program.
 *
 * Usage: just cron-show [options]
 *
 * Prints the block that `just cron-install` has written into your crontab; nothing when there is none.
 *
 *   --timeout S   seconds for everything (10)
 *   --json        one JSON document
 *   -q, --quiet   no hint on standard error
 *   -h, --help    this text
 *
 * Exit codes: 0 done, also when there is none, 1 failed, 2 usage, 5 the block is damaged, 130 interrupted.
 */
import { timeoutMs } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/errors.ts'
import { asText, readCrontab } from '../lib/monitor/crontab-command.ts'
import { blockOf } from '../lib/monitor/crontab.ts'

await recipe(import.meta.filename, {}, async ({ values, signal, print, printJson, note }) => {
  const block = blockOf(await readCrontab({ timeoutMs: timeoutMs(values.timeout), signal }))
  const lines = (block ?? []).map(asText)
  if (values.json) printJson({ installed: block !== undefined, lines })
  else lines.forEach(print)
  if (block === undefined && !values.quiet)
    note('there is nothing of this program in the crontab: `just cron-install` puts it there')
  return EXIT.done
})
