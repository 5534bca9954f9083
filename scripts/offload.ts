#!/usr/bin/env tsx
/**
 * offload: run a command now, on the machine with the most room, as if it ran here.
 *
 * Usage: just offload [options] CMD [ARG…]
 *
 * Options end where the command begins. just takes the first `--` of a line away: write `just offload -- CMD …`, and one of
 * the command's own comes through. Its output comes as it is printed, its exit status is passed on, and Ctrl-C
 * reaches it: nothing of it is left there then, or what can't be ended is named; and neither when the connection is lost,
 * after two minutes at the latest.
 * It reads what is piped into offload, but no terminal.
 *
 * It runs in a folder of its own there, with PATH and HOME as ssh has them there, and of this environment LANG, LC_* and TZ
 * (for more: `just offload env A=B CMD`). When it has ended, that folder goes, and what it left running.
 *
 *   --send PATH         goes there first; below this folder it keeps its relative name
 *   --return PATH       comes back to this folder by its relative name, however the command ended; what is here by that
 *                       name is kept beside it, as NAME.before-TIME
 *   --cwd FOLDER        run in this folder: below what was sent, or one of that machine (/… or ~/…), where --return
 *                       begins then
 *   --cpus N            how many CPUs it is expected to use (1)
 *   --target NAME       on this machine, whatever its load
 *   --wait              where no machine has room, wait for one; with --target, until that one takes it
 *   --or-here           where no machine has room, run it here
 *   --hosts A,B         choose among these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds to find a machine (10); the command may take its time
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: the command's own, 128+N for one that signal N ended; 125 when offload itself fails or no machine has room,
 * 126 when the command can't be run, 127 when there is none of that name, 130 interrupted.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { recipe } from '../cli/recipe.ts'
import { workInput, workOptions } from '../cli/work-options.ts'
import { Failure, UsageError } from '../lib/base/errors.ts'
import { plain } from '../lib/base/text.ts'
import { runHere } from '../lib/work/jobs/run-here.ts'
import { runSomewhere } from '../verbs/run/offload.ts'
import { workOf } from '../verbs/run/work.ts'

const options = {
  ...meshOptions,
  ...workOptions,
  target: { type: 'string' },
  wait: { type: 'boolean' },
  'or-here': { type: 'boolean' },
} as const

await recipe(
  import.meta.filename,
  options,
  async (context) => {
    const { values, note, signal, deps } = context
    if (values.json)
      throw new UsageError('offload prints what the command prints: --json has no meaning for it')
    if (values.wait && values['or-here']) throw new UsageError('--wait and --or-here: say one of them')
    const { target, wait } = values
    const input = { ...(await meshInput(values)), ...workInput(context), target, wait }
    const { stdin, stdout, stderr } = process
    const terminal = { stdin: stdin.isTTY ? undefined : stdin, stdout, stderr }
    const ran = await runSomewhere(input, terminal, deps)
    if ('exitCode' in ran) {
      ran.notes.forEach((line) => note(plain(line)))
      return ran.exitCode
    }
    if (!values['or-here']) throw new Failure(ran.nowhere)
    deps.hint(`${plain(ran.nowhere, 300)}: running it here`)
    const { exitCode, failed } = await runHere(await workOf(input), signal)
    if (failed !== undefined) note(failed)
    return exitCode
  },
  { operands: true, command: true, ownFailure: 125 },
)
