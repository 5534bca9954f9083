#!/usr/bin/env tsx
/**
 * scum-throttle: slow a process and its children down, or stop them for a while; and let them go again.
 *
 * Usage: just scum-throttle PID [options]
 *
 * By the best means that the machine has, which it says: a cgroup (v2, or v1) of its own, a scope of systemd's,
 * cpulimit, or a low priority. `just throttled` lists what is held. A process that has ended, and another one that has
 * its PID now, is never touched.
 *
 *   --percent P   of one CPU, for the process and its children together (50)
 *   --pause       stop it altogether
 *   --release     undo either
 *   --by MEANS    only this one: cgroup2, systemd, cgroup1, cpulimit or renice
 *   --host HOST   on this machine of the mesh, instead of this one: by what works there, not with --pause or --by
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
 *   -q, --quiet   print nothing when all went well
 *   -h, --help    this text
 *
 * Exit codes: 0 done, 1 failed and nothing changed, 2 usage, 5 refused before anything was touched, 130 interrupted.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { numberOf } from '../cli/numbers.ts'
import { onePid } from '../cli/pids.ts'
import { recipe, type Context } from '../cli/recipe.ts'
import { EXIT, Refused, UsageError } from '../lib/base/errors.ts'
import { plain } from '../lib/base/text.ts'
import { heldLines, releasedLine } from '../lib/show/holding.ts'
import { meansNamed, percentBounds, scumRelease, scumThrottle } from '../verbs/hold/scum-throttle.ts'

const options = {
  percent: { type: 'string' },
  pause: { type: 'boolean' },
  release: { type: 'boolean' },
  by: { type: 'string' },
  force: { type: 'boolean' },
  ...meshOptions,
  host: { type: 'string' },
} as const

await recipe(
  import.meta.filename,
  options,
  async (context) => {
    const { values, operands, print, printJson, deps } = context
    const pid = onePid(operands)
    const { percent, pause, force } = values
    if (values.release && pause) throw new UsageError('--release undoes --pause too: give one of them')
    if ((values.release || pause) && (percent ?? values.by) !== undefined)
      throw new UsageError('--percent and --by say how to throttle: not with --pause or --release')
    const share = percent === undefined ? undefined : numberOf('--percent', percent, percentBounds())
    const [by] = values.by === undefined ? [] : meansNamed(values.by)
    if (values.release) return await letGo(pid, context)
    const where = { ...(await meshInput(values)), host: values.host }
    const held = await scumThrottle({ ...where, pid, percent: share, pause, by, force }, deps)
    if (values.json) printJson(held)
    else if (!values.quiet) heldLines(held).forEach((line) => print(line))
    return EXIT.done
  },
  { operands: true },
)

async function letGo(
  pid: number,
  { values, print, printJson, deps }: Context<typeof options>,
): Promise<number> {
  const { released } = await scumRelease({ ...(await meshInput(values)), host: values.host, pid }, deps)
  if (values.json) printJson({ released })
  const other = released.find(({ outcome }) => outcome !== 'released')
  if (other) {
    const now =
      other.outcome === 'gone' ? 'has ended' : 'has ended, and its PID belongs to another process now'
    throw new Refused(
      `PID ${pid} (${plain(other.command)}) ${now}: nothing was touched, its record is dropped`,
    )
  }
  if (!values.json && !values.quiet) released.forEach((each) => print(releasedLine(each)))
  return EXIT.done
}
