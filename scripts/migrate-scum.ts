#!/usr/bin/env tsx
/**
 * migrate-scum: move a running process, with its memory, its children and its open files, to a machine that has room.
 *
 * Usage: just migrate-scum PID|HOST:PID [options]
 *
 * It is frozen, sent, restored, and goes on there; at every moment at most one copy runs, and whatever fails, it goes
 * on where it was or where it went. Without --target the MINUS machine with the most room that can take it is chosen.
 * A sleep or a poll that it is in ends early, with EINTR, also when a move is undone: few programs mind, some end.
 * Both machines need Linux, criu, and root or a sudo that asks no password: `just doctor HOST` looks.
 *
 *   --target NAME       this machine, whatever its load
 *   --copy-files        files that it has open, or runs from, go along where the target lacks them
 *   --via WAY           how its memory goes: ssh (the default) or taildrop
 *   --keep-images       leave the images of its memory on the target
 *   --dry-run           say what would be done, what would change by it and who would see it, and do nothing
 *   --force             another user's process too
 *   --yes               don't ask; needed where there is no terminal
 *   --hosts A,B         choose among these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds to find a machine and to reach it (10); what moves may take its time
 *   --json              one JSON document
 *   -q, --quiet         nothing on standard error when all is well
 *   -h, --help          this text
 *
 * Exit codes: 0 moved, 1 failed and it runs where it was, 2 usage, 3 no machine that takes it, 5 refused before
 * anything was touched, 6 in doubt: what to run next is printed, 130 interrupted and it runs where it was.
 */
import { confirm } from '../cli/confirm.ts'
import { meshOptions } from '../cli/mesh-options.ts'
import { choose, migrateOptions, movingOf, viaOf } from '../cli/migrate.ts'
import { carryOut, planText } from '../cli/migrate-run.ts'
import { reachOf } from '../cli/reach.ts'
import { recipe } from '../cli/recipe.ts'
import { mentionDoubts } from '../cli/repair.ts'
import { EXIT } from '../lib/errors.ts'

const options = {
  ...meshOptions,
  ...migrateOptions,
  'dry-run': { type: 'boolean' },
  yes: { type: 'boolean' },
} as const

await recipe(
  import.meta.filename,
  options,
  async (context) => {
    const { values, signal, print, printJson, note } = context
    viaOf(values.via)
    await mentionDoubts(context)
    const reach = await reachOf(context)
    const moving = await movingOf(context, reach)
    for (;;) {
      const { plan, passed } = await choose(context, moving, reach)
      if (values['dry-run']) {
        if (values.json) printJson({ dryRun: true, ...plan, passed })
        else planText(plan).forEach((line) => print(line))
        return EXIT.done
      }
      const { name } = plan.target
      await confirm(`Move PID ${plan.process.pid} (${moving.title}) to ${name}`, values.yes ?? false, signal)
      const ended = await carryOut(plan, context, reach)
      if (ended.refused === 'by target' && values.target === undefined) {
        moving.declined.set(name, ended.detail)
        note(`${ended.detail}; trying another`)
        continue
      }
      return ended.exitCode
    }
  },
  { operands: true },
)
