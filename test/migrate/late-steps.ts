/**
 * Delivers steps of a migration to its machines, whatever has become of it: for tests of steps that come late. It prints
 * how each ended, a line of JSON a step.
 *
 * Usage: late-steps.ts FILE_OF_THE_PLAN source:STEP|target:STEP…
 */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { Connections } from '../../lib/mesh/connections.ts'
import { Machine } from '../../lib/work/migrate/machine.ts'
import { MigrationPlan } from '../../lib/work/migrate/plan.ts'

const [file = '', ...words] = process.argv.slice(2)
const plan = MigrationPlan.parse(JSON.parse(await readFile(file, 'utf8')))
const reach = { connections: await Connections.open(), connectMs: 10_000 }
const limits = { timeoutMs: 60_000, signal: new AbortController().signal }
for (const word of words) {
  const [end = '', step = ''] = word.split(':')
  const side = end === 'source' ? 'source' : 'target'
  const { name } = plan[side]
  const place = name === hostname() ? { name } : { name, ssh: { host: `${name}.lan` } }
  const machine = new Machine(place, side, plan, reach)
  const first = step === 'claim' || step === 'reserve'
  const ended = await (first ? machine.install(step, {}, limits) : machine.step(step, {}, limits))
  const told = ended.known ? { status: ended.status, facts: Object.fromEntries(ended.facts) } : ended
  process.stdout.write(`${JSON.stringify({ step: word, ...told })}\n`)
}
await reach.connections.closeOpened()
