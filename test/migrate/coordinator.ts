/**
 * Moves a process without a preflight, for tests of the transaction itself: it says each step on a line and, where it
 * is told to, waits there for a line of its input.
 *
 * Usage: coordinator.ts '{"pid": 1, "from": "n1", "to": "n2", "ship": [], "pauseAt": "kill"}'
 */
import { createInterface } from 'node:readline'
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { reachOf } from '../../cli/reach.ts'
import { standalone } from '../../cli/standalone.ts'
import { mustTell } from '../../lib/host/run.ts'
import { Journal } from '../../lib/migrate/journal.ts'
import { migrate, startGuardian } from '../../lib/migrate/transaction.ts'

const {
  pid,
  from,
  to,
  ship = [],
  pauseAt,
  guardian = true,
  via = 'ssh',
} = JSON.parse(process.argv[2] ?? '{}')
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const reach = await reachOf({ values: {} })
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
