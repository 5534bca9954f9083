import { openJournals } from '../lib/migrate/journal.ts'
import { stateOf } from '../lib/migrate/state.ts'
import { plain, quoted } from '../lib/text.ts'
import { strangeRecords } from '../lib/throttle/record.ts'
import { repair, titleOf } from '../lib/throttle/throttle.ts'

type Reporter = { note: (line: string) => void; values: { quiet?: boolean | undefined } }

/** What an earlier run left half done is put right first, and the person told. */
export async function repairFirst(reporter: Reporter): Promise<void> {
  const { note, values } = reporter
  await mentionDoubts(reporter)
  for (const file of await strangeRecords())
    note(`${quoted(file)} is no record of this version: look at it by hand`)
  for (const { record, why, failed } of await repair()) {
    const what = `PID ${record.pid} (${plain(record.command)}), held by ${titleOf(record.means)}`
    if (failed !== undefined) note(`${what}: ${why}, and it can't be released: ${failed}`)
    else if (!values.quiet) note(`${what}: ${why}; released`)
  }
}

/** A migration that nobody sees to any more may have left a process standing still. */
export async function mentionDoubts({ note }: Reporter): Promise<void> {
  const { journals } = await openJournals()
  for (const journal of journals) {
    const { id, pid, command, state } = await stateOf(journal)
    if (state === 'in doubt')
      note(`moving PID ${pid} (${plain(command, 40)}) was interrupted: run: just migrate-recover ${id}`)
  }
}
