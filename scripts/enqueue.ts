#!/usr/bin/env tsx
/**
 * enqueue: run a command later, on a machine that has nothing to do.
 *
 * Usage: just enqueue [options] CMD [ARG…]
 *
 * Options end where the command begins. just takes the first `--` of a line away: write `just enqueue -- CMD …`, and one of
 * the command's own comes through. It waits in a spool on this machine until a machine is MINUS: `just rebalance
 * --apply` starts it there, or `just jobs start ID`. It runs there without a terminal and reads nothing; `just jobs` brings
 * its output and its exit status back. It runs at most once, whatever fails, unless you say `just jobs retry`.
 *
 * It runs in a folder of its own there, with PATH and HOME as ssh has them there, and of this environment LANG, LC_* and TZ
 * (for more: `just enqueue env A=B CMD`).
 *
 *   --send PATH         goes there before it starts, as it is then; below this folder it keeps its relative name
 *   --return PATH       comes back to this folder when it has ended, by its relative name; what is here by that name is
 *                       kept beside it, as NAME.before-TIME
 *   --cwd FOLDER        run in this folder: below what was sent, or one of that machine (/… or ~/…), where --return
 *                       begins then
 *   --cpus N            how many CPUs it is expected to use (1)
 *   --name NAME         what `just jobs` calls it
 *   --json              one JSON document
 *   -q, --quiet         print the job's id alone
 *   -h, --help          this text
 *
 * Exit codes: 0 queued, 1 failed, 2 usage.
 */
import { recipe } from '../cli/recipe.ts'
import { workInput, workOptions } from '../cli/work-options.ts'
import { EXIT } from '../lib/base/errors.ts'
import { enqueue } from '../verbs/run/jobs.ts'

const options = { ...workOptions, name: { type: 'string' } } as const

await recipe(
  import.meta.filename,
  options,
  async (context) => {
    const { values, print, printJson, deps } = context
    const result = await enqueue({ ...workInput(context), name: values.name })
    if (values.json) printJson(result)
    else print(result.id)
    if (!values.json) deps.hint('queued: `just jobs` shows what becomes of it')
    return EXIT.done
  },
  { operands: true, command: true },
)
