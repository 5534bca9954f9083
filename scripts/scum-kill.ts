#!/usr/bin/env tsx
/**
 * scum-kill: end processes, kindly first.
 *
 * Usage: just scum-kill PID… [options]
 *
 * SIGTERM, and SIGKILL for what is still there after the grace period. All PIDs are checked before any is touched: a
 * kernel thread, PID 1, an ssh server, and what this program was started from are refused.
 *
 *   --grace S     seconds between the two signals (10)
 *   --yes         don't ask; needed where there is no terminal
 *   --host HOST   on this machine of the mesh, instead of this one
 *   --force       another user's process too
 *   --hosts A,B   look for HOST among these ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B   leave these machines out
 *   --fanout N    at most so many at the same time (64)
 *   --timeout S   seconds to reach it (10)
 *   --json        one JSON document
 *   -q, --quiet   print nothing when all have ended
 *   -h, --help    this text
 *
 * Exit codes: 0 all have ended, 1 one is still there, 2 usage, 5 refused before anything was touched, 130 interrupted.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { numberOf } from '../cli/numbers.ts'
import { pidsOf } from '../cli/pids.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { endingLine } from '../lib/show/holding.ts'
import { GRACE_SECONDS } from '../verbs/bounds.ts'
import { scumKill } from '../verbs/hold/scum-kill.ts'

const options = {
  ...meshOptions,
  host: { type: 'string' },
  grace: { type: 'string' },
  yes: { type: 'boolean' },
  force: { type: 'boolean' },
} as const

await recipe(
  import.meta.filename,
  options,
  async ({ values, operands, print, printJson, deps }) => {
    const pids = pidsOf(operands)
    const graceSeconds = numberOf('--grace', values.grace, GRACE_SECONDS)
    const where = { ...(await meshInput(values)), host: values.host }
    const result = await scumKill({ ...where, pids, graceSeconds, force: values.force }, deps)
    if (values.json) printJson(result)
    else if (!values.quiet) result.processes.forEach((each) => print(endingLine(each)))
    return result.processes.some(({ outcome }) => outcome === 'still there') ? EXIT.failed : EXIT.done
  },
  { operands: true },
)
