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
 *   --force       another user's process too
 *   --json        one JSON document
 *   -q, --quiet   print nothing when all have ended
 *   -h, --help    this text
 *
 * Exit codes: 0 all have ended, 1 one is still there, 2 usage, 5 refused before anything was touched, 130 interrupted.
 */
import { confirm } from '../cli/confirm.ts'
import { numberOf } from '../cli/numbers.ts'
import { pidsOf } from '../cli/pids.ts'
import { recipe } from '../cli/recipe.ts'
import { repairFirst } from '../cli/repair.ts'
import { EXIT, Refused } from '../lib/errors.ts'
import { guard } from '../lib/process/guard.ts'
import { end, maySignal } from '../lib/process/kill.ts'
import { liveProcesses, thisSession, whyAbsent, type LiveProcess } from '../lib/process/live.ts'
import { messageOf, plain } from '../lib/text.ts'

const options = { grace: { type: 'string' }, yes: { type: 'boolean' }, force: { type: 'boolean' } } as const

const WORDS = {
  ended: 'has ended',
  killed: 'did not end by itself and was killed',
  'still there': 'is still there: the kernel waits for something, often a disk or a network file system',
}

await recipe(
  import.meta.filename,
  options,
  async (context) => {
    const { values, operands, signal, print, printJson, note } = context
    const pids = pidsOf(operands)
    const graceMs =
      numberOf('--grace', values.grace ?? '10', { least: 0, most: 3600, unit: 'seconds' }) * 1000
    const all = await liveProcesses()
    const session = await thisSession(all)
    const targets: LiveProcess[] = []
    for (const pid of pids) {
      const target = all.get(pid)
      if (!target) throw new Refused(await whyAbsent(pid, all))
      const reason = guard(target, session, values.force ?? false)
      if (reason !== undefined) throw new Refused(reason)
      if (!maySignal(target))
        throw new Refused(`PID ${pid} (${plain(target.command, 40)}) can only be ended by root`)
      targets.push(target)
    }
    const named = targets.map(({ pid, command }) => `${pid} (${plain(command, 40)})`).join(', ')
    await confirm(`End ${named}`, values.yes ?? false, signal)
    const endings = await Promise.all(
      targets.map(async (target) => ({
        pid: target.pid,
        command: target.command,
        outcome: await end(target, graceMs, signal),
      })),
    )
    if (values.json) printJson({ processes: endings })
    else if (!values.quiet)
      for (const { pid, command, outcome } of endings)
        print(`PID ${pid} (${plain(command)}) ${WORDS[outcome]}`)
    await repairFirst({ ...context, values: { quiet: true } }).catch((error: unknown) =>
      note(messageOf(error)),
    )
    return endings.some(({ outcome }) => outcome === 'still there') ? EXIT.failed : EXIT.done
  },
  { operands: true },
)
