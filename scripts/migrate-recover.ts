#!/usr/bin/env tsx
/**
 * migrate-recover: bring migrations that were interrupted to their end: finished or undone.
 *
 * Usage: just migrate-recover [ID…|--all] [options]
 *
 * It goes by the journal and by what it finds on both machines; it can be run again and again. Without an ID: all.
 *
 *   --all         all that are not over (the default)
 *   --wait S      try again for so many seconds while a machine can't be reached, or another sees to it (0)
 *   --forget      give an ID up that can't be settled: what is on the machines stays as it is
 *   --timeout S   seconds to reach a machine (10)
 *   --json        one JSON document
 *   -q, --quiet   print nothing when all are over
 *   -h, --help    this text
 *
 * Exit codes: 0 all are over, 1 there is no such migration, 2 usage, 6 one is in doubt, 130 interrupted.
 */
import { numberOf, timeoutSecondsOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { plain } from '../lib/base/text.ts'
import { outcomeText } from '../lib/work/migrate/outcome-text.ts'
import { RECOVER_WAIT_SECONDS } from '../verbs/bounds.ts'
import { migrateRecover } from '../verbs/move/migrations.ts'

const options = {
  all: { type: 'boolean' },
  wait: { type: 'string' },
  forget: { type: 'boolean' },
} as const

await recipe(
  import.meta.filename,
  options,
  async ({ values, operands: ids, print, printJson, note, deps }) => {
    const waitSeconds = numberOf('--wait', values.wait, RECOVER_WAIT_SECONDS)
    if (values.all && ids.length > 0) throw new UsageError('give either --all or the ID of a migration')
    if (values.forget && ids.length === 0) throw new UsageError('--forget needs the ID of a migration')
    const { forget = false } = values
    const timeoutSeconds = timeoutSecondsOf(values.timeout)
    const result = await migrateRecover({ ids, waitSeconds, forget, timeoutSeconds }, deps)
    for (const { outcome, ...rest } of result.migrations)
      if (outcome === 'doubt') note(outcomeText({ ...rest, outcome }))
      else if (!values.quiet && !values.json)
        print(
          outcome === 'forgotten'
            ? `${rest.id} is forgotten: ${rest.detail}`
            : `${rest.id}: ${plain(outcomeText({ ...rest, outcome }), 500)}`,
        )
    if (values.json) printJson(result)
    else if (result.migrations.length === 0) deps.hint('nothing is in doubt')
    return result.migrations.some(({ outcome }) => outcome === 'doubt') ? EXIT.inDoubt : EXIT.done
  },
  { operands: true },
)
