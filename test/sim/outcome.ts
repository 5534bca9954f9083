import type { ChalkInstance } from 'chalk'
import { table, type Column } from '../../lib/show/table.ts'
import { POLICY_TEXTS, type Policy } from './policies.ts'
import { simulate } from './world.ts'

/** What one policy made of both meshes. Shares are of 1; `--json` prints this. */
export type Outcome = {
  policy: Policy
  /** Work comes and ends. */
  flow: {
    minusShare: number
    ergodicShare: number
    plusShare: number
    moves: number
    /** Of the moves, those of a process that was moved within the five minutes before. */
    againShare: number
    failed: number
    refused: number
    throttled: number
    /** Processes that came to their end. */
    ended: number
    planMs: { mean: number; most: number }
  }
  /** A skewed start, for 30 minutes. */
  settle: {
    moves: number
    againShare: number
    plusAtStart: number
    plusAfter5Minutes: number
    /** When no machine was PLUS for the first time; absent when there always was one. */
    minutesToNoPlus?: number
    /** Machines that were PLUS, once a minute. */
    plusEachMinute: number[]
  }
}

const SETTLE_MINUTES = 30
const SAMPLES_A_MINUTE = 12

type Settings = { nodes: number; minutes: number; seed: number; policy: Policy }

export function compare({ nodes, minutes, seed, policy }: Settings): Outcome {
  const flow = simulate({ nodes, minutes, seed, policy, work: 'flow' })
  const settle = simulate({ nodes, minutes: SETTLE_MINUTES, seed, policy, work: 'settle' })
  const { minus, ergodic, plus } = flow.atTrit
  const samples = minus + ergodic + plus
  const plusAt = (index: number) => settle.plusOverTime[index]?.plus ?? 0
  const { minutesToNoPlus } = settle
  return {
    policy,
    flow: {
      minusShare: minus / samples,
      ergodicShare: ergodic / samples,
      plusShare: plus / samples,
      moves: flow.moves,
      againShare: flow.again / Math.max(1, flow.moves),
      failed: flow.failed,
      refused: flow.refused,
      throttled: flow.held,
      ended: flow.ended,
      planMs: {
        mean: flow.planMs.reduce((sum, ms) => sum + ms, 0) / Math.max(1, flow.planMs.length),
        most: Math.max(0, ...flow.planMs),
      },
    },
    settle: {
      moves: settle.moves,
      againShare: settle.again / Math.max(1, settle.moves),
      plusAtStart: plusAt(0),
      plusAfter5Minutes: plusAt(5 * SAMPLES_A_MINUTE - 1),
      ...(minutesToNoPlus === undefined ? {} : { minutesToNoPlus }),
      plusEachMinute: settle.plusOverTime.flatMap(({ plus: each }, index) =>
        index === 0 || index % SAMPLES_A_MINUTE === SAMPLES_A_MINUTE - 1 ? [each] : [],
      ),
    },
  }
}

export async function outcomeLines(
  outcomes: readonly Outcome[],
  { nodes, hours }: { nodes: number; hours: number },
  colours: ChalkInstance,
  width: number,
): Promise<string[]> {
  const numbers = (heads: string[]): Column[] => [
    { head: 'POLICY' },
    ...heads.map((head): Column => ({ head, align: 'right' })),
  ]
  const flow = outcomes.map(({ policy, flow: each }) => [
    policy,
    ...[each.minusShare, each.ergodicShare, each.plusShare].map((share) => percent(share)),
    String(each.moves),
    percent(each.againShare),
    String(each.throttled),
    String(each.ended),
    each.planMs.mean.toFixed(1),
    each.planMs.most.toFixed(1),
    POLICY_TEXTS[policy],
  ])
  const settle = outcomes.map(({ policy, settle: each }) => [
    policy,
    String(each.plusAtStart),
    String(each.plusAfter5Minutes),
    each.minutesToNoPlus?.toFixed(1) ?? 'never',
    String(each.moves),
    percent(each.againShare),
  ])
  const heads = ['-1', '0', '+1', 'MOVES', 'AGAIN ≤5 MIN', 'THROTTLED', 'ENDED', 'PLAN MS', 'MOST']
  return [
    colours.bold(`${nodes} machines, ${hours} hours of work that comes and ends, mean ratio 0.5`),
    ...(await table([...numbers(heads), { head: '', optional: 1 }], flow, width, colours.dim)),
    '',
    colours.bold(`${nodes} machines, a skewed start, ${SETTLE_MINUTES} minutes`),
    ...(await table(
      numbers(['PLUS AT FIRST', 'AFTER 5 MIN', 'NONE AFTER MIN', 'MOVES', 'AGAIN ≤5 MIN']),
      settle,
      width,
      colours.dim,
    )),
  ]
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
