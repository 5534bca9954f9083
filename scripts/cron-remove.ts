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
import { timeoutMs } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, Failure } from '../lib/errors.ts'
import { readCrontab, writeCrontab } from '../lib/monitor/crontab-command.ts'
import { remove } from '../lib/monitor/crontab.ts'

await recipe(import.meta.filename, {}, async ({ values, signal, printJson, note }) => {
  const limits = { timeoutMs: timeoutMs(values.timeout), signal }
  const before = await readCrontab(limits)
  const after = remove(before)
  const changed = after !== before
  if (changed)
    await writeCrontab(after, limits).catch(async (error: unknown) => {
      // Debian's cron runs a crontab whose last line has no newline, but takes none.
      if (!(error instanceof Failure) || after === undefined || after.endsWith('\n')) throw error
      await writeCrontab(`${after}\n`, limits)
      if (!values.quiet) note('cron wanted a newline at the end of the last line')
    })
  if (values.json) printJson({ changed })
  else if (!values.quiet) note(changed ? 'removed' : 'there is nothing of this program in the crontab')
  return EXIT.done
})
