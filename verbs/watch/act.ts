import { plain } from '../../lib/base/text.ts'
import { titleOf } from '../../lib/machine/throttle/throttle.ts'
import { scumKill } from '../hold/scum-kill.ts'
import { scumThrottle } from '../hold/scum-throttle.ts'
import { migrateScum } from '../move/migrate-scum.ts'
import type { MeshInput } from '../see/mesh.ts'
import type { Deps } from '../verb.ts'

/** A process, and what is to be done to it. */
export type Order = { deed: 'migrate' | 'throttle' | 'kill'; host: string; pid: number; command: string }

/** How it went, in a few words. */
export type Went = { done: boolean; says: string; to?: string }

/**
 * Does to a process of any machine of the mesh what the recipe of that name does, and asks before.
 *
 * @throws what the verb throws, and `confirm`
 */
export async function act({ deed, host, pid, command }: Order, input: MeshInput, deps: Deps): Promise<Went> {
  if (deed === 'migrate') {
    const ended = await migrateScum({ ...input, pid, host }, deps)
    const { outcome, detail, to, downtimeSeconds } = ended
    if (outcome !== 'moved') return { done: false, says: `${outcome}: ${plain(detail, 200)}`, to }
    const still = downtimeSeconds === undefined ? '' : `, stood still for ${downtimeSeconds.toFixed(2)} s`
    return { done: true, says: `moved to ${to}${still}`, to }
  }
  if (deed === 'throttle') {
    await deps.confirm(`Throttle PID ${pid} (${plain(command, 40)}) on ${host}`)
    const { means, percent } = await scumThrottle({ ...input, pid, host }, deps)
    const how = percent === undefined ? 'slowed down' : `held to ${percent} % of a CPU`
    return { done: true, says: `${how} by ${titleOf(means)}` }
  }
  const { processes } = await scumKill({ ...input, pids: [pid], host }, deps)
  const outcome = processes[0]?.outcome ?? 'still there'
  return { done: outcome !== 'still there', says: outcome }
}
