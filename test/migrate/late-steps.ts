/**
 * Delivers steps of a migration to its machines, whatever has become of it: for tests of steps that come late. For each
 * it prints how it ended, as a line of JSON.
 *
 * Usage: late-steps.ts FILE_OF_THE_PLAN END:STEP…
 */
import { readFile } from 'node:fs/promises'
import { Connections } from '../../lib/mesh/connections.ts'
import { Journal } from '../../lib/migrate/journal.ts'
import { migrationOf } from '../../lib/migrate/migration.ts'
import { Plan } from '../../lib/migrate/plan.ts'

const [file = '', ...words] = process.argv.slice(2)
const plan = Plan.parse(JSON.parse(await readFile(file, 'utf8')))
const reach = { connections: await Connections.open(), connectMs: 10_000 }
const { signal } = new AbortController()
const journal = await Journal.create({ ...plan, id: plan.id.replaceAll(/./g, '0') })
const machines = migrationOf(Object.assign(journal, { plan }), reach, signal)
await journal.close()
for (const word of words) {
  const [end = '', step = ''] = word.split(':')
  const machine = end === 'source' ? machines.source : machines.target
  const limits = { timeoutMs: 60_000, signal }
  const ended =
    step === 'claim' || step === 'reserve'
      ? await machine.install(step, {}, limits)
      : await machine.step(step, {}, limits)
  const shown = ended.known ? { status: ended.status, facts: Object.fromEntries(ended.facts) } : ended
  process.stdout.write(`${JSON.stringify(shown)}\n`)
}
