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
 *   --window MS         over how many milliseconds processes are measured (1000)
 *   --hosts A,B         the mesh is these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
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
import { alone } from '../cli/alone.ts'
import { confirm } from '../cli/confirm.ts'
import { reachOf } from '../cli/reach.ts'
import { acting, finishEarlier, type Act } from '../cli/rebalance-acts.ts'
import { rebalanceOptions, survey, type RebalanceContext, type Survey } from '../cli/rebalance.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, Refused } from '../lib/errors.ts'
import { carryOut, type Did } from '../lib/rebalance/carry-out.ts'
import { didLines, leftOutLines, planIsEmpty, planLines } from '../lib/show/plan.ts'

/** More at a time would only wait for the same disks and connections. */
const AT_ONCE = 4

await recipe(import.meta.filename, rebalanceOptions, async (context) => {
  const { values, note, printJson } = context
  if (!values.apply) {
    await show(await survey(context, await reachOf(context)), context)
    return EXIT.done
  }
  let exitCode: number = EXIT.done
  const done = await alone('rebalance', async () => {
    exitCode = await apply(context)
  })
  if (!done && values.json) printJson({ busy: true, actions: [] })
  else if (!done && !values.quiet) note('another rebalance is under way here: nothing was done')
  return exitCode
})

async function apply(context: RebalanceContext): Promise<number> {
  const { values, signal, print } = context
  const reach = await reachOf(context)
  await finishEarlier(context, reach)
  const found = await survey(context, reach)
  const actions = found.plan.actions.filter((action) => action.kind !== 'none')
  if (!values.json || actions.length === 0) await show(found, context)
  if (actions.length === 0) return EXIT.done
  await confirm(actions.length === 1 ? 'Do it' : `Do these ${actions.length}`, values.yes ?? false, signal)
  const ageMs = performance.now() - found.askedMs
  if (ageMs > found.maxAgeMs)
    throw new Refused(`the measurements are ${Math.round(ageMs / 1000)} s old by now: run it again`)
  const did = await carryOut<Act>(actions, acting(found, context, reach), { atOnce: AT_ONCE })
  if (values.json) await show(found, context, did)
  else didLines(did).forEach((line) => print(line))
  signal.throwIfAborted()
  if (did.some(({ outcome }) => outcome === 'in doubt')) return EXIT.inDoubt
  return did.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.done
}

async function show(found: Survey, context: RebalanceContext, did?: Did<Act>[]): Promise<void> {
  const { values, print, printJson, note, colours, width } = context
  const { plan, passed, nodes } = found
  if (values.json) {
    const went = did?.map(({ action, ...rest }) => ({ ...action, ...rest }))
    printJson({ ...plan, passed, nodes, ...(went ? { applied: went } : {}) })
    return
  }
  if (values.quiet && planIsEmpty(plan)) return
  planLines(plan, colours, width).forEach((line) => print(line))
  if (!values.quiet) leftOutLines(passed, nodes).forEach((line) => note(line))
}
