#!/usr/bin/env tsx
/**
 * migrate-scum: move a running process, with its memory, its children and its open files, to a machine that has room.
 *
 * Usage: just migrate-scum PID|HOST:PID [options]
 *
 * It is frozen, sent, restored, and goes on there; at every moment at most one copy runs, and whatever fails, it goes
 * on where it was or where it went. Without --target the MINUS machine with the most room that can take it is chosen.
 * What has a terminal moves with it: the old one says where to, and `just attach` connects you to the new one.
 * A sleep or a poll that it is in ends early, with EINTR, also when a move is undone: few programs mind, some end.
 * Both machines need Linux, criu, and root or a sudo that asks no password: `just doctor HOST` looks.
 *
 *   --target NAME       this machine, whatever its load
 *   --copy-files        files that it has open, or runs from, go along where the target lacks them
 *   --close-connections its connections are closed as it moves; without this, what has some is refused
 *   --via WAY           how its memory goes: ssh (the default) or taildrop
 *   --keep-images       leave the images of its memory on the target
 *   --dry-run           say what would be done, what would change by it and who would see it, and do nothing
 *   --force             another user's process too
 *   --yes               don't ask; needed where there is no terminal
 *   --hosts A,B         choose among these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
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
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { onePid } from '../cli/pids.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { quoted } from '../lib/base/text.ts'
import { movedLines, preflightLines } from '../lib/show/migration.ts'
import { outcomeText } from '../lib/work/migrate/outcome-text.ts'
import { migratePreflight, migrateScum } from '../verbs/move/migrate-scum.ts'
import type { MigrateScumInput, MigrateScumResult } from '../verbs/move/schemas.ts'

const options = {
  ...meshOptions,
  target: { type: 'string' },
  via: { type: 'string' },
  'copy-files': { type: 'boolean' },
  'close-connections': { type: 'boolean' },
  'keep-images': { type: 'boolean' },
  force: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  yes: { type: 'boolean' },
} as const

await recipe(
  import.meta.filename,
  options,
  async ({ values, operands, print, printJson, note, deps }) => {
    const { target, via = 'ssh', force } = values
    if (via !== 'ssh' && via !== 'taildrop')
      throw new UsageError(`--via takes ssh or taildrop, not ${quoted(via)}`)
    const flags = {
      copyFiles: values['copy-files'],
      closeConnections: values['close-connections'],
      keepImages: values['keep-images'],
    }
    const input: MigrateScumInput = {
      ...(await meshInput(values)),
      ...processOf(operands),
      target,
      via,
      force,
      ...flags,
    }
    if (values['dry-run']) {
      const plan = await migratePreflight(input, deps)
      if (values.json) printJson(plan)
      else preflightLines(plan).forEach((line) => print(line))
      return EXIT.done
    }
    const ended = await migrateScum(input, deps)
    if (values.json) printJson(ended)
    else if (ended.outcome === 'moved') movedLines(ended).forEach((line) => print(line))
    if (ended.outcome !== 'moved') note(outcomeText(ended))
    return exitOf(ended)
  },
  { operands: true },
)

/** PID, or HOST:PID. */
function processOf(operands: readonly string[]): { pid: number; host: string | undefined } {
  const [operand = '', ...others] = operands
  const colon = operand.lastIndexOf(':')
  const pid = onePid(operands.length === 0 ? [] : [operand.slice(colon + 1), ...others])
  return { pid, host: colon === -1 ? undefined : operand.slice(0, colon) }
}

function exitOf({ outcome, interrupted, refused }: MigrateScumResult): number {
  if (outcome === 'moved') return EXIT.done
  if (outcome === 'doubt') return EXIT.inDoubt
  if (interrupted) return EXIT.interrupted
  return refused ? EXIT.refused : EXIT.failed
}
