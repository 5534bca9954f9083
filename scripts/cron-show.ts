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
import { timeoutSecondsOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { cronShow } from '../verbs/watch/cron.ts'

await recipe(import.meta.filename, {}, async ({ values, print, printJson, deps }) => {
  const result = await cronShow({ timeoutSeconds: timeoutSecondsOf(values.timeout) }, deps)
  if (values.json) printJson(result)
  else result.lines.forEach(print)
  if (!result.installed)
    deps.hint('there is nothing of this program in the crontab: `just cron-install` puts it there')
  return EXIT.done
})
