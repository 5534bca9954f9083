import { Refused } from '../../lib/base/errors.ts'
import { messageOf, plain } from '../../lib/base/text.ts'
import { guard } from '../../lib/machine/guard.ts'
import { end, maySignal } from '../../lib/machine/kill.ts'
import { liveProcesses, thisSession, whyAbsent, type LiveProcess } from '../../lib/machine/live-processes.ts'
import { GRACE_SECONDS } from '../bounds.ts'
import type { Deps } from '../verb.ts'
import { repairFirst } from './repair.ts'
import type { ScumKillInput, ScumKillResult } from './schemas.ts'

/** Ends processes, kindly first; all are looked at before any is touched. @throws Refused, what `confirm` throws */
export async function scumKill(input: ScumKillInput, deps: Deps): Promise<ScumKillResult> {
  const { graceSeconds = GRACE_SECONDS.usual, force = false } = input
  if (input.host !== undefined) {
    const { elsewhere, killThere, processThere } = await import('./elsewhere.ts')
    const there = await elsewhere(input.host, input, deps)
    if (there) {
      const targets = [...new Set(input.pids)].map((pid) => processThere(there, pid, force))
      await deps.confirm(`End ${namesOf(targets)} on ${there.host.name}`)
      return { processes: await killThere(there, targets, graceSeconds, deps.signal) }
    }
  }
  const all = await liveProcesses()
  const session = await thisSession(all)
  const targets: LiveProcess[] = []
  for (const pid of new Set(input.pids)) {
    const target = all.get(pid)
    if (!target) throw new Refused(await whyAbsent(pid, all))
    const reason = guard(target, session, force)
    if (reason !== undefined) throw new Refused(reason)
    if (!maySignal(target))
      throw new Refused(`PID ${pid} (${plain(target.command, 40)}) can only be ended by root`)
    targets.push(target)
  }
  await deps.confirm(`End ${namesOf(targets)}`)
  const processes = await Promise.all(
    targets.map(async (target) => ({
      pid: target.pid,
      command: target.command,
      outcome: await end(target, graceSeconds * 1000, deps.signal),
    })),
  )
  // What was held of them is held no more; the person asked for something else.
  await repairFirst({ warn: deps.warn, hint: () => {} }).catch((error: unknown) =>
    deps.warn(messageOf(error)),
  )
  return { processes }
}

function namesOf(targets: readonly { pid: number; command: string }[]): string {
  return targets.map(({ pid, command }) => `${pid} (${plain(command, 40)})`).join(', ')
}
