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
import { numberOf } from '../cli/numbers.ts'
import { outcomeText } from '../cli/migrate-run.ts'
import { reachOf } from '../cli/reach.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, Failure, UsageError } from '../lib/errors.ts'
import { openJournals } from '../lib/migrate/journal.ts'
import { recover } from '../lib/migrate/recover.ts'
import { plain, quoted } from '../lib/text.ts'

const options = {
  all: { type: 'boolean' },
  wait: { type: 'string' },
  forget: { type: 'boolean' },
} as const

await recipe(
  import.meta.filename,
  options,
  async (context) => {
    const { values, operands, signal, print, printJson, note } = context
    const waitMs = numberOf('--wait', values.wait ?? '0', { least: 0, most: 86_400, unit: 'seconds' }) * 1000
    if (values.all && operands.length > 0) throw new UsageError('give either --all or the ID of a migration')
    const { journals, strange } = await openJournals()
    strange.forEach((folder) => note(`${quoted(folder)} is no journal of this version: look at it by hand`))
    const odd = operands.find((id) => !journals.some(({ plan }) => plan.id === id))
    if (odd !== undefined)
      throw new Failure(`no migration ${quoted(odd)} is open: just migrations lists them`)
    const chosen = operands.length > 0 ? journals.filter(({ plan }) => operands.includes(plan.id)) : journals
    if (values.forget) {
      if (operands.length === 0) throw new UsageError('--forget needs the ID of a migration')
      for (const journal of chosen) {
        await journal.giveUp()
        if (!values.quiet)
          print(
            `${journal.plan.id} is forgotten: what is on ${journal.plan.source.name} and ${journal.plan.target.name} stays as it is`,
          )
      }
      return EXIT.done
    }
    const reach = await reachOf(context)
    const outcomes = []
    for (const journal of chosen) {
      const outcome = await recover(journal, reach, { waitMs, signal })
      outcomes.push({ id: journal.plan.id, outcome: outcome.kind, detail: outcome.detail })
      if (outcome.kind === 'doubt') note(outcomeText(journal.plan, outcome))
      else if (!values.quiet && !values.json)
        print(`${journal.plan.id}: ${plain(outcomeText(journal.plan, outcome), 500)}`)
    }
    if (values.json) printJson({ migrations: outcomes })
    else if (chosen.length === 0 && !values.quiet) note('nothing is in doubt')
    return outcomes.some(({ outcome }) => outcome === 'doubt') ? EXIT.inDoubt : EXIT.done
  },
  { operands: true },
)
