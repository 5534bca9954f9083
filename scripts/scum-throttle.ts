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
 *   --force       another user's process too
 *   --json        one JSON document
 *   -q, --quiet   print nothing when all went well
 *   -h, --help    this text
 *
 * Exit codes: 0 done, 1 failed and nothing changed, 2 usage, 5 refused before anything was touched, 130 interrupted.
 */
import { availableParallelism } from 'node:os'
import { numberOf } from '../cli/numbers.ts'
import { onePid } from '../cli/pids.ts'
import { recipe, type Context } from '../cli/recipe.ts'
import { repairFirst } from '../cli/repair.ts'
import { EXIT, Refused, UsageError } from '../lib/errors.ts'
import { plain, quoted } from '../lib/text.ts'
import { hold, release, throttleMeans, titleOf } from '../lib/throttle/throttle.ts'

const options = {
  percent: { type: 'string' },
  pause: { type: 'boolean' },
  release: { type: 'boolean' },
  by: { type: 'string' },
  force: { type: 'boolean' },
} as const

await recipe(
  import.meta.filename,
  options,
  async (context) => {
    const { values, operands } = context
    const pid = onePid(operands)
    const { percent, by } = values
    if (values.release && values.pause) throw new UsageError('--release undoes --pause too: give one of them')
    if ((values.release || values.pause) && (percent ?? by) !== undefined)
      throw new UsageError('--percent and --by say how to throttle: not with --pause or --release')
    const most = 100 * availableParallelism()
    const share = numberOf('--percent', percent ?? '50', { least: 1, most, unit: 'percent of a CPU' })
    const means = throttleMeans().filter((name) => by === undefined || name === by)
    if (means.length === 0)
      throw new UsageError(`--by takes one of ${throttleMeans().join(', ')}, not ${quoted(by ?? '')}`)
    if (values.release) return await letGo(pid, context)
    await repairFirst(context)
    return await holdBack(pid, values.pause ? ['pause'] : means, share, context)
  },
  { operands: true },
)

async function holdBack(
  pid: number,
  means: Parameters<typeof hold>[1],
  percent: number,
  { values, signal, print, printJson }: Context<typeof options>,
): Promise<number> {
  const { record, processes, passedOver } = await hold(pid, means, percent, {
    force: values.force ?? false,
    signal,
  })
  const { command, means: used, percent: limit } = record
  if (values.json) printJson({ pid, command, means: used, percent: limit, processes, passedOver })
  else if (!values.quiet) {
    const children = processes > 1 ? ` and ${processes - 1} of its children` : ''
    const how =
      used === 'pause' ? 'stopped' : limit === undefined ? 'slowed down' : `held to ${limit} % of a CPU`
    print(`PID ${pid} (${plain(command)})${children} ${how} by ${titleOf(used)}`)
    for (const { why } of passedOver) print(`  passed over: ${why}`)
    print(`  undo: just scum-throttle ${pid} --release`)
  }
  return EXIT.done
}

async function letGo(pid: number, { values, print, printJson }: Context<typeof options>): Promise<number> {
  const released = await release(pid)
  const told = released.map(({ record, outcome }) => ({
    pid,
    command: record.command,
    means: record.means,
    outcome,
  }))
  if (values.json) printJson({ released: told })
  const other = told.find(({ outcome }) => outcome !== 'released')
  if (other) {
    const now =
      other.outcome === 'gone' ? 'has ended' : 'has ended, and its PID belongs to another process now'
    throw new Refused(
      `PID ${pid} (${plain(other.command)}) ${now}: nothing was touched, its record is dropped`,
    )
  }
  if (!values.json && !values.quiet)
    for (const { command, means } of told)
      print(`PID ${pid} (${plain(command)}) released from ${titleOf(means)}`)
  return EXIT.done
}
