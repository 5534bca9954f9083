import type { ChalkInstance } from 'chalk'
import { RULES } from '../model/balance.ts'
import { unmeasured, type NodeState } from '../mesh/snapshot.ts'
import type { Plan } from '../model/plan/plan.ts'
import type { PlanAction } from '../model/plan/snapshot.ts'
import type { RebalanceResult } from '../../verbs/move/schemas.ts'
import { plain } from '../base/text.ts'
import { signed } from '../model/trit.ts'
import { table, type Cell } from './table.ts'

type Applied = Exclude<RebalanceResult, { busy: true }>['applied']

const COLUMNS = [
  { head: 'ACTION' },
  { head: 'WHAT' },
  { head: 'WHERE', shrinks: true },
  { head: 'WHY', shrinks: true },
] as const

/** A row an action, then Σ and the rule as they are, and Σ as it is to be. */
export async function planLines(plan: Plan, colours: ChalkInstance, width: number): Promise<string[]> {
  const rows = plan.actions.map((action): Cell[] => [
    { text: action.kind, style: action.kind === 'none' ? colours.dim : colours.bold },
    subject(action),
    'to' in action ? `${action.node} → ${action.to}` : action.node,
    { text: action.reason, style: colours.dim, spans: true },
  ])
  const { sum, rule, predicted } = plan
  const after = `Σ = ${signed(predicted.sum)} (≡ ${predicted.mod3} mod 3)`
  return [
    ...(rows.length > 0 ? [...(await table(COLUMNS, rows, width, colours.dim)), ''] : []),
    `Σ = ${signed(sum)} (≡ ${plan.mod3} mod 3); rule ${rule}: ${colours.bold(RULES[rule])}`,
    planIsEmpty(plan) ? 'nothing is to be done' : `then ${after}`,
  ]
}

/** Whether it asks for nothing. */
export function planIsEmpty({ actions }: Plan): boolean {
  return actions.every(({ kind }) => kind === 'none')
}

/** An action in words, without its reason: `migrate PID 5 from a to b`. */
export function actionText(action: PlanAction): string {
  const what = [action.kind, subject(action)].filter((word) => word !== '').join(' ')
  return 'to' in action ? `${what} from ${action.node} to ${action.to}` : `${what} on ${action.node}`
}

function subject(action: PlanAction): string {
  if ('pid' in action) return `PID ${action.pid}`
  return 'job' in action ? `job ${action.job}` : ''
}

/** What was left out, and why: machines that gave no measurement, and moves that were looked at and can't be made. */
export function leftOutLines(
  passed: readonly { node: string; pid: number; to: string; reason: string }[],
  nodes: readonly NodeState[],
): string[] {
  const silent = unmeasured(nodes).flatMap((node) =>
    node.outcome === 'ok' ? [] : [`${node.name}: ${node.outcome}: ${node.reason}`],
  )
  const moves = passed.map(({ node, pid, to, reason }) => `PID ${pid} of ${node} to ${to}: ${reason}`)
  return [...silent, ...moves].map((line) => plain(line, 500))
}

/** What came of each action. */
export function didLines(applied: NonNullable<Applied>): string[] {
  return applied.map((did) => plain(`${actionText(did)}: ${did.outcome}: ${did.detail}`, 500))
}
