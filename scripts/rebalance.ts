#!/usr/bin/env tsx
/**
 * rebalance: what the machines of the mesh should do for their load to settle; and with --apply, do it.
 *
 * Usage: just rebalance [--apply] [options]
 *
 * Processes of a PLUS machine whose score is above 0.35 move to MINUS machines, the highest score first, with all that
 * was started with them. Where the mesh has more load than room (Σ > 0), busy processes of ERGODIC machines are held
 * back as scum-throttle does. Where it has more room than load (Σ < 0), what was held back on MINUS machines goes on,
 * the oldest first; then queued jobs are started. No machine is taken past 0.8, none takes more than one in 90 s, and
 * what was moved rests for 5 minutes. Only what is yours moves or is held, and only on Linux.
 *
 * It may run on any machine, on several at the same time, and from cron: each receiver is reserved on itself. Every move
 * is one of migrate-scum: `just migrations` shows it, and when this program is killed it comes to its end all the same.
 * Other machines' processes move where you are root there, or have a sudo that asks no password.
 *
 *   --apply             do it; stops after the first failure, and leaves out what is refused
 *   --yes               don't ask; needed where there is no terminal
 *   --max-age S         do nothing by measurements that are older (60)
 *   --copy-files        files that a process has open, or runs from, go along where the target lacks them
 *   --with-terminals    also processes of terminals, which move too: `just attach` finds them again
 *   --window MS         over how many milliseconds processes are measured (1000)
 *   --hosts A,B         the mesh is these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds to ask all (10, and the window)
 *   --json              one JSON document
 *   -q, --quiet         print nothing when nothing is to be done
 *   -h, --help          this text
 *
 * Exit codes: 0 done, also when there was nothing to do; 1 something failed, 2 usage, 5 refused before anything was
 * touched, 6 a move is in doubt: what to run next is printed, 130 interrupted.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { countOf, numberOf } from '../cli/numbers.ts'
import { recipe, type Context } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { didLines, leftOutLines, planIsEmpty, planLines } from '../lib/show/plan.ts'
import { MAX_AGE_SECONDS, REBALANCE_WINDOW_MS } from '../verbs/bounds.ts'
import { planRebalance, rebalance } from '../verbs/move/rebalance.ts'
import type { PlanRebalanceResult } from '../verbs/move/schemas.ts'

const options = {
  ...meshOptions,
  apply: { type: 'boolean' },
  yes: { type: 'boolean' },
  'max-age': { type: 'string' },
  'copy-files': { type: 'boolean' },
  'with-terminals': { type: 'boolean' },
  window: { type: 'string' },
} as const

await recipe(import.meta.filename, options, async (context) => {
  const { values, signal, print, printJson, deps } = context
  const input = {
    ...(await meshInput(values)),
    maxAgeSeconds: numberOf('--max-age', values['max-age'], MAX_AGE_SECONDS),
    copyFiles: values['copy-files'],
    withTerminals: values['with-terminals'],
    windowMs: countOf('--window', values.window, REBALANCE_WINDOW_MS),
  }
  if (!values.apply) {
    const plan = await planRebalance(input, deps)
    if (values.json) printJson(plan)
    else await show(plan, context)
    return EXIT.done
  }
  const result = await rebalance(input, deps, async (plan) => {
    if (!values.json) await show(plan, context)
  })
  if (values.json) printJson(result)
  if ('busy' in result) {
    if (!values.json) deps.hint('another rebalance is under way here: nothing was done')
    return EXIT.done
  }
  const { applied: did = [] } = result
  if (!values.json) didLines(did).forEach((line) => print(line))
  signal.throwIfAborted()
  if (did.some(({ outcome }) => outcome === 'in doubt')) return EXIT.inDoubt
  return did.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.done
})

async function show(
  plan: PlanRebalanceResult,
  { values, print, deps, colours, width }: Context<typeof options>,
): Promise<void> {
  if (values.quiet && planIsEmpty(plan)) return
  for (const line of await planLines(plan, colours, width)) print(line)
  leftOutLines(plan.passed, plan.nodes).forEach((line) => deps.hint(line))
}
