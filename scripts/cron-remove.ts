#!/usr/bin/env tsx
/**
 * cron-remove: cron no longer keeps watch over this machine.
 *
 * Usage: just cron-remove [options]
 *
 * Takes the block of `just cron-install` out of your crontab; what remains is what was there before, to the byte.
 *
 *   --timeout S   seconds for everything (10)
 *   --json        one JSON document
 *   -q, --quiet   print nothing
 *   -h, --help    this text
 *
 * Exit codes: 0 done, also when there was none, 1 failed, 2 usage, 5 refused because the block is damaged,
 * 130 interrupted.
 */
import { timeoutSecondsOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { cronRemove } from '../verbs/watch/cron.ts'

await recipe(import.meta.filename, {}, async ({ values, printJson, deps }) => {
  const result = await cronRemove({ timeoutSeconds: timeoutSecondsOf(values.timeout) }, deps)
  if (values.json) printJson(result)
  else deps.hint(result.changed ? 'removed' : 'there is nothing of this program in the crontab')
  return EXIT.done
})
