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
import { EXIT, Failure, UsageError } from '../lib/errors.ts'
import { pastMigrations } from '../lib/migrate/history.ts'
import { openJournals } from '../lib/migrate/journal.ts'
import { stateOf } from '../lib/migrate/state.ts'
import { table } from '../lib/show/table.ts'
import { plain, quoted } from '../lib/text.ts'

await recipe(
  import.meta.filename,
  { n: { type: 'string', short: 'n' } },
  async ({ values, operands: [id, other], print, printJson, note, colours, width }) => {
    if (other !== undefined) throw new UsageError('give one ID at a time')
    const most = countOf('-n', values.n ?? '10', { least: 0, most: 10_000 })
    const { journals, strange } = await openJournals()
    strange.forEach((folder) => note(`${quoted(folder)} is no journal of this version: look at it by hand`))
    const states = await Promise.all(journals.map(async (journal) => await stateOf(journal)))
    const past = (await pastMigrations()).toReversed()
    if (id !== undefined) {
      const journal = journals.find(({ plan }) => plan.id === id)
      const over = past.find((each) => each.id === id)
      if (!journal && !over)
        throw new Failure(`there is no migration ${quoted(id)}: just migrations lists them`)
      if (values.json) printJson(journal ? { plan: journal.plan, entries: journal.entries } : over)
      else if (journal)
        journal.entries.forEach((entry) => print(plain(Object.values(entry).map(String).join(' '), 500)))
      else if (over) print(plain(`${over.at} ${over.outcome}: ${over.detail}`, 500))
      return EXIT.done
    }
    const doubtful = states.filter(({ state }) => state === 'in doubt')
    if (values.json) printJson({ open: states, over: past.slice(0, most) })
    else {
      const columns = [
        { head: 'ID' },
        { head: 'PID', align: 'right' },
        { head: 'COMMAND', shrinks: true },
        { head: 'FROM' },
        { head: 'TO' },
        { head: 'STATE' },
        { head: 'WHEN', optional: 1 },
      ] as const
      const rows = [...states, ...past.slice(0, most).map((each) => ({ ...each, state: each.outcome }))].map(
        (each) => [
          each.id,
          String(each.pid),
          each.command,
          each.from,
          each.to,
          each.state,
          each.at.replace(/\..*/, 'Z'),
        ],
      )
      if (rows.length > 0) table(columns, rows, width, colours.dim).forEach((line) => print(line))
      else if (!values.quiet) note('nothing has been moved')
    }
    doubtful.forEach((each) => note(`${each.id} is in doubt: run: just migrate-recover ${each.id}`))
    return doubtful.length > 0 ? EXIT.inDoubt : EXIT.done
  },
  { operands: true },
)
