import { plain } from '../../lib/base/text.ts'
import type { Reach } from '../../lib/mesh/remote/host.ts'
import { mentionDoubts } from '../hold/repair.ts'
import { reachOf } from '../see/reach.ts'
import type { Deps } from '../verb.ts'
import { carryOut } from './carry-out.ts'
import { choose, movingOf, type Moving } from './choose.ts'
import type {
  MigratePreflightInput,
  MigratePreflightResult,
  MigrateScumInput,
  MigrateScumResult,
} from './schemas.ts'

/** Says what moving a process would do, and does nothing. @throws InputError, Refused, NoSuitableNode */
export async function migratePreflight(
  input: MigratePreflightInput,
  deps: Deps,
): Promise<MigratePreflightResult> {
  const { moving, reach } = await beginning(input, deps)
  const { plan, passed } = await choose(input, deps, moving, reach)
  return { dryRun: true, ...plan, passed }
}

/**
 * Moves a running process to the machine that is named, else to the MINUS machine with the most room that takes it.
 *
 * @returns how it ended, where something was begun
 * @throws InputError, Refused, NoSuitableNode before anything is touched; what `confirm` throws
 */
export async function migrateScum(input: MigrateScumInput, deps: Deps): Promise<MigrateScumResult> {
  const { moving, reach } = await beginning(input, deps)
  const title = plain(moving.facts.tree[0].command, 40)
  for (;;) {
    const { plan } = await choose(input, deps, moving, reach)
    const terminal = plan.terminal ? ', with its terminal' : ''
    await deps.confirm(`Move PID ${plan.process.pid} (${title})${terminal} to ${plan.target.name}`)
    const ended = await carryOut(plan, deps, reach)
    if (ended.refused !== 'by target' || input.target !== undefined) return ended
    moving.declined.set(plan.target.name, ended.detail)
    deps.warn(`${plain(ended.detail, 300)}; trying another`)
  }
}

async function beginning(input: MigrateScumInput, deps: Deps): Promise<{ moving: Moving; reach: Reach }> {
  await mentionDoubts(deps)
  const reach = await reachOf(input)
  return { moving: await movingOf(input, deps, reach), reach }
}
