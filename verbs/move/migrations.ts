import { Failure } from '../../lib/base/errors.ts'
import { quoted } from '../../lib/base/text.ts'
import { pastMigrations } from '../../lib/work/migrate/history.ts'
import { openJournals, type Journal } from '../../lib/work/migrate/journal.ts'
import { recover } from '../../lib/work/migrate/recover.ts'
import { stateOf } from '../../lib/work/migrate/state.ts'
import { PAST_MIGRATIONS, RECOVER_WAIT_SECONDS } from '../bounds.ts'
import { reachOf } from '../see/reach.ts'
import type { Deps } from '../verb.ts'
import type {
  MigrateRecoverInput,
  MigrateRecoverResult,
  MigrationsInput,
  MigrationsResult,
  OneMigrationInput,
  OneMigrationResult,
} from './schemas.ts'

/** The migrations that are not over everywhere, and those that are, the latest first. */
export async function migrations(input: MigrationsInput, deps: Deps): Promise<MigrationsResult> {
  const journals = await readable(deps)
  const open = await Promise.all(journals.map(async (journal) => await stateOf(journal)))
  const over = (await pastMigrations()).toReversed().slice(0, input.count ?? PAST_MIGRATIONS.usual)
  return { open, over }
}

/** Everything that is written down of one. @throws Failure when there is none of this ID */
export async function oneMigration({ id }: OneMigrationInput, deps: Deps): Promise<OneMigrationResult> {
  const journal = (await readable(deps)).find(({ plan }) => plan.id === id)
  if (journal) return { plan: journal.plan, entries: [...journal.entries] }
  const over = (await pastMigrations()).findLast((each) => each.id === id)
  if (over) return over
  throw new Failure(`there is no migration ${quoted(id)}: just migrations lists them`)
}

/** Brings migrations to their end, or gives them up. @throws Failure when there is none of an ID */
export async function migrateRecover(input: MigrateRecoverInput, deps: Deps): Promise<MigrateRecoverResult> {
  const { ids = [], forget = false, waitSeconds = RECOVER_WAIT_SECONDS.usual } = input
  const journals = await readable(deps)
  const odd = ids.find((id) => !journals.some(({ plan }) => plan.id === id))
  if (odd !== undefined) throw new Failure(`no migration ${quoted(odd)} is open: just migrations lists them`)
  const chosen = ids.length > 0 ? journals.filter(({ plan }) => ids.includes(plan.id)) : journals
  const reach = await reachOf(input)
  const migrated: MigrateRecoverResult['migrations'] = []
  for (const journal of chosen) {
    const { id, source, target, process } = journal.plan
    const about = { id, from: source.name, to: target.name, pid: process.pid, command: process.command }
    if (forget) {
      await journal.giveUp()
      const detail = `what is on ${source.name} and ${target.name} stays as it is`
      migrated.push({ ...about, outcome: 'forgotten', detail })
      continue
    }
    const outcome = await recover(journal, reach, { waitMs: waitSeconds * 1000, signal: deps.signal })
    const decide = 'decide' in outcome ? outcome.decide : undefined
    const rest = decide === undefined ? {} : { decide }
    migrated.push({ ...about, outcome: outcome.kind, detail: outcome.detail, ...rest })
  }
  return { migrations: migrated }
}

async function readable({ warn }: Pick<Deps, 'warn'>): Promise<Journal[]> {
  const { journals, strange } = await openJournals()
  strange.forEach((folder) => warn(`${quoted(folder)} is no journal of this version: look at it by hand`))
  return journals
}
