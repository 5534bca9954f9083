#!/usr/bin/env tsx
/**
 * migrations: what migrate-scum has under way or in doubt, and what it has done.
 *
 * Usage: just migrations [ID] [options]
 *
 * With an ID: everything that its journal says.
 *
 *   -n N          so many of those that are over (10)
 *   --json        one JSON document
 *   -q, --quiet   no hints on standard error
 *   -h, --help    this text
 *
 * Exit codes: 0 done, 1 there is no such migration, 2 usage, 6 one is in doubt: what to run next is printed.
 */
import { countOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { migrationLines, oneMigrationLines } from '../lib/show/migrations.ts'
import { PAST_MIGRATIONS } from '../verbs/bounds.ts'
import { migrations, oneMigration } from '../verbs/move/migrations.ts'

await recipe(
  import.meta.filename,
  { n: { type: 'string', short: 'n' } },
  async ({ values, operands: [id, other], print, printJson, note, colours, width, deps }) => {
    if (other !== undefined) throw new UsageError('give one ID at a time')
    const count = countOf('-n', values.n, PAST_MIGRATIONS)
    if (id !== undefined) {
      const one = await oneMigration({ id }, deps)
      if (values.json) printJson(one)
      else oneMigrationLines(one).forEach((line) => print(line))
      return EXIT.done
    }
    const result = await migrations({ count }, deps)
    const lines = await migrationLines(result, width, colours.dim)
    if (values.json) printJson(result)
    else if (lines.length > 0) lines.forEach((line) => print(line))
    else deps.hint('nothing has been moved')
    const doubtful = result.open.filter(({ state }) => state === 'in doubt')
    doubtful.forEach((each) => note(`${each.id} is in doubt: run: just migrate-recover ${each.id}`))
    return doubtful.length > 0 ? EXIT.inDoubt : EXIT.done
  },
  { operands: true },
)
