import { plain, quoted } from '../../lib/base/text.ts'
import { strangeRecords } from '../../lib/machine/throttle/record.ts'
import { repair, titleOf } from '../../lib/machine/throttle/throttle.ts'
import { openJournals } from '../../lib/work/migrate/journal.ts'
import { stateOf } from '../../lib/work/migrate/state.ts'
import type { Deps } from '../verb.ts'

/** What an earlier run left half done is put right first, and the person told. */
export async function repairFirst(deps: Pick<Deps, 'warn' | 'hint'>): Promise<void> {
  const { warn, hint } = deps
  await mentionDoubts(deps)
  for (const file of await strangeRecords())
    warn(`${quoted(file)} is no record of this version: look at it by hand`)
  for (const { record, why, failed } of await repair()) {
    const what = `PID ${record.pid} (${plain(record.command)}), held by ${titleOf(record.means)}`
    if (failed !== undefined) warn(`${what}: ${why}, and it can't be released: ${failed}`)
    else hint(`${what}: ${why}; released`)
  }
}

/** A migration that nobody sees to any more may have left a process standing still. */
export async function mentionDoubts({ warn }: Pick<Deps, 'warn'>): Promise<void> {
  const { journals } = await openJournals()
  for (const journal of journals) {
    const { id, pid, command, state } = await stateOf(journal)
    if (state === 'in doubt')
      warn(`moving PID ${pid} (${plain(command, 40)}) was interrupted: run: just migrate-recover ${id}`)
  }
}
