import { availableParallelism } from 'node:os'
import { InputError } from '../../lib/base/errors.ts'
import { quoted } from '../../lib/base/text.ts'
import { ALL_MEANS, type MeansName } from '../../lib/machine/throttle/all-means.ts'
import { readRecords } from '../../lib/machine/throttle/record.ts'
import { hold, release, throttleMeans } from '../../lib/machine/throttle/throttle.ts'
import { THROTTLED_PERCENT } from '../../lib/model/policy.ts'
import type { Deps } from '../verb.ts'
import { repairFirst } from './repair.ts'
import type {
  ScumReleaseInput,
  ScumReleaseResult,
  ScumThrottleInput,
  ScumThrottleResult,
  ThrottledInput,
  ThrottledResult,
} from './schemas.ts'

/** What `percent` may be on this machine. */
export function percentBounds() {
  return { least: 1, most: 100 * availableParallelism(), usual: THROTTLED_PERCENT, unit: 'percent of a CPU' }
}

/** The means of this machine that a person names, or all of them. @throws InputError when there is none of that name */
export function meansNamed(by: string | undefined): MeansName[] {
  const means = throttleMeans().filter((name) => by === undefined || name === by)
  if (means.length > 0) return means
  throw new InputError('by', `takes one of ${throttleMeans().join(', ')}, not ${quoted(by ?? '')}`)
}

/** Slows a process and its children down, or stops them. @throws InputError, Refused, Failure with nothing changed */
export async function scumThrottle(input: ScumThrottleInput, deps: Deps): Promise<ScumThrottleResult> {
  const { pid, pause = false, percent = THROTTLED_PERCENT, by, force = false } = input
  if (pause && (input.percent ?? by) !== undefined)
    throw new InputError('percent', 'and --by say how to throttle: not with --pause')
  if (input.host !== undefined && (pause || by !== undefined))
    throw new InputError('host', 'holds by the best means there is: not with --pause or --by')
  const there = await throttledThere(input, percent, deps)
  if (there) return there
  const { most, unit } = percentBounds()
  if (percent > most)
    throw new InputError('percent', `takes a number from 1 to ${most} ${unit}, not ${percent}`)
  const means = pause ? (['pause'] as const) : meansNamed(by)
  await repairFirst(deps)
  const held = await hold(pid, [...means], percent, { force, signal: deps.signal })
  const { record, processes, passedOver } = held
  return {
    pid,
    command: record.command,
    means: record.means,
    ...(record.percent === undefined ? {} : { percent: record.percent }),
    processes,
    passedOver,
  }
}

/** The same on another machine, where that is meant. */
async function throttledThere(
  { host, pid, force = false, ...input }: ScumThrottleInput,
  percent: number,
  deps: Deps,
): Promise<ScumThrottleResult | undefined> {
  if (host === undefined) return undefined
  const { elsewhere, processThere, throttleThere } = await import('./elsewhere.ts')
  const there = await elsewhere(host, input, deps)
  if (!there) return undefined
  const target = processThere(there, pid, force)
  const held = await throttleThere(there, target, percent, deps.signal)
  const limited = ALL_MEANS[held.means].limits ? { percent } : {}
  return { pid, command: target.command, ...held, ...limited, passedOver: [] }
}

/** Lets a process go again. One that has ended, and another that has its PID now, is not touched. @throws Refused */
export async function scumRelease(input: ScumReleaseInput, deps: Deps): Promise<ScumReleaseResult> {
  const { pid } = input
  if (input.host !== undefined) {
    const { elsewhere, letGoThere } = await import('./elsewhere.ts')
    const there = await elsewhere(input.host, input, deps)
    if (there) {
      const { record, outcome } = await letGoThere(there, pid, deps.signal)
      return { released: [{ pid, command: record.command, means: record.means, outcome }] }
    }
  }
  const released = await release(pid)
  return {
    released: released.map(({ record: { command, means }, outcome }) => ({ pid, command, means, outcome })),
  }
}

/** What is held, the oldest first. */
export async function throttled(_input: ThrottledInput, deps: Deps): Promise<ThrottledResult> {
  await repairFirst(deps)
  const records = await readRecords()
  return {
    held: records.map(({ pid, command, means, percent, since }) => ({
      pid,
      command,
      means,
      ...(percent === undefined ? {} : { percent }),
      since,
    })),
  }
}
