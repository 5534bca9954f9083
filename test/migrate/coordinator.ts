/**
 * Moves a process without a preflight, for tests of the transaction itself: it says each step on a line and, where it
 * is told to, waits there for a line of its input.
 *
 * Usage: coordinator.ts '{"pid": 1, "from": "n1", "to": "n2", "ship": [], "pauseAt": "kill", "asked": true}'
 */
import { createInterface } from 'node:readline'
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { reachOf } from '../../verbs/see/reach.ts'
import { standalone } from '../../lib/base/own-program.ts'
import { mustTell } from '../../lib/mesh/remote/run.ts'
import { gatherSource } from '../../lib/work/migrate/facts/gather.ts'
import { criuOptions, movingTerminal } from '../../lib/work/migrate/preflight.ts'
import { Journal } from '../../lib/work/migrate/journal.ts'
import { migrate, startGuardian } from '../../lib/work/migrate/transaction.ts'

const {
  pid,
  from,
  to,
  ship = [],
  pauseAt,
  guardian = true,
  via = 'ssh',
  asked = false,
} = JSON.parse(process.argv[2] ?? '{}')
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const reach = await reachOf({})
const place = (name: string) => (name === hostname() ? { name } : { name, ssh: { host: `${name}.lan` } })
const identity = `
start_of() { set -- "$(cat "/proc/$1/stat" 2>/dev/null)"; set -- \${1##*) }; printf '%s' "\${20:-}"; }
read -r boot </proc/sys/kernel/random/boot_id
printf '%s %s' "$(start_of "$PID")" "$boot.$(start_of 1)"`
const limits = { timeoutMs: 20_000, signal: new AbortController().signal }
const known = await mustTell(
  place(from),
  { body: identity, values: { PID: String(pid) }, as: 'root' },
  reach,
  limits,
  'asking',
)
const [start = '', boot = ''] = known.split(' ')
/** What a plan says of its terminal, its connections and the like. */
async function whatCriuIsTold() {
  const gathered = await gatherSource(place(from), pid, reach, limits)
  if (!gathered.known) throw new Error(gathered.refusal.sentence)
  return { ...criuOptions(gathered.facts, { closeConnections: true }), ...movingTerminal(gathered.facts) }
}
const id = randomBytes(6).toString('hex')
const journal = await Journal.create({
  version: 1,
  id,
  source: place(from),
  target: place(to),
  process: { pid, start, boot, command: 'test', tasks: 1, rssBytes: 1_000_000 },
  cpu: 1,
  via,
  ship,
  folders: [],
  known: [],
  changes: [],
  ...(asked ? await whatCriuIsTold() : {}),
  keepImages: false,
  named: true,
})
const lock = await journal.lock()
if (guardian) await startGuardian(standalone('migrate-recover', [id, '--wait', '600', '--quiet']), journal)
say({ id })
let paused = false
const outcome = await migrate(journal, reach, new AbortController().signal, {
  step: async (name) => {
    say({ step: name, ms: Math.round(performance.now()) })
    // A step that is taken again does not wait again.
    if (name !== pauseAt || paused) return
    paused = true
    await input.next()
  },
})
await lock?.release()
say({ ...outcome, ms: Math.round(performance.now()) })
process.exit(0)
