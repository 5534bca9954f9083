import { Refused } from '../../lib/base/errors.ts'
import { oneAtATime } from '../../lib/base/one-at-a-time.ts'
import { carryOut } from '../../lib/work/rebalance/carry-out.ts'
import { reachOf } from '../see/reach.ts'
import type { Deps } from '../verb.ts'
import { acting, finishEarlier, type Act } from './act.ts'
import type { PlanRebalanceResult, RebalanceInput, RebalanceResult } from './schemas.ts'
import { survey, type Survey } from './survey.ts'

/** More at a time would only wait for the same disks and connections. */
const AT_ONCE = 4

/** What the machines of the mesh should do for their load to settle. Nothing is changed. @throws Failure */
export async function planRebalance(input: RebalanceInput, deps: Deps): Promise<PlanRebalanceResult> {
  return documentOf(await survey(input, deps, await reachOf(input)))
}

/**
 * Does it, unless another is under way on this machine.
 *
 * @param planned told what is about to be done, before `deps.confirm` asks
 * @throws Failure, Refused before anything is touched; what `confirm` throws
 */
export async function rebalance(
  input: RebalanceInput,
  deps: Deps,
  planned: (plan: PlanRebalanceResult) => Promise<void> = async () => {},
): Promise<RebalanceResult> {
  const done = await oneAtATime('rebalance', async () => await apply(input, deps, planned))
  return done?.result ?? { busy: true, actions: [] }
}

async function apply(
  input: RebalanceInput,
  deps: Deps,
  planned: (plan: PlanRebalanceResult) => Promise<void>,
): Promise<RebalanceResult> {
  const reach = await reachOf(input)
  await finishEarlier(deps, reach)
  const found = await survey(input, deps, reach)
  const document = documentOf(found)
  await planned(document)
  const actions = found.plan.actions.filter((action) => action.kind !== 'none')
  if (actions.length === 0) return document
  await deps.confirm(actions.length === 1 ? 'Do it' : `Do these ${actions.length}`)
  const ageMs = performance.now() - found.askedMs
  if (ageMs > found.maxAgeMs)
    throw new Refused(`the measurements are ${Math.round(ageMs / 1000)} s old by now: run it again`)
  const did = await carryOut<Act>(actions, acting(found, deps.signal, reach), { atOnce: AT_ONCE })
  return { ...document, applied: did.map(({ action, ...went }) => ({ ...action, ...went })) }
}

function documentOf({ plan, passed, nodes }: Survey): PlanRebalanceResult {
  return { ...plan, passed, nodes }
}
