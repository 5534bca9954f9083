import { Chalk } from 'chalk'
import { expect, test } from 'vitest'
import { planFor } from '../../../lib/model/plan/plan.ts'
import { didLines, leftOutLines, planIsEmpty, planLines } from '../../../lib/show/plan.ts'
import { node, OPTIONS, spinning } from '../model/plan/mesh.ts'

const NONE = new Chalk({ level: 0 })
const full = node('full', 2, 1, { processes: [spinning(7, { cpuPercent: 50, command: 'a\u001B[31mb\nc' })] })
const plan = planFor({ nodes: [full, node('idle', 0, 4), node('more', 0, 4)], jobs: [] }, OPTIONS)

test('a row an action, then Σ and the rule now, and Σ afterwards', async () => {
  expect(await planLines(plan, NONE, Infinity)).toEqual([
    'ACTION   WHAT   WHERE        WHY',
    'migrate  PID 7  full → idle  ab c scores 0.60 on a PLUS node: full goes from 2.00 to 1.00, idle from 0.00 to 0.25',
    'none            full         stays at 1.00: the rest goes when there is more room',
    '',
    'Σ = -1 (≡ 2 mod 3); rule 2: wake idle work on MINUS nodes',
    'then Σ = -1 (≡ 2 mod 3)',
  ])
})

test('a plan without an action says that there is nothing to do; one that only tells why is empty too', async () => {
  const idle = planFor({ nodes: [node('a', 1, 2)], jobs: [] }, OPTIONS)
  expect(await planLines(idle, NONE, Infinity)).toEqual([
    'Σ = 0 (≡ 0 mod 3); rule 3: balanced, nothing to do',
    'nothing is to be done',
  ])
  expect(
    [idle, planFor({ nodes: [full], jobs: [] }, OPTIONS), plan].map((each) => planIsEmpty(each)),
  ).toEqual([true, true, false])
})

test('no line of a table is wider than the terminal', async () => {
  for (const line of (await planLines(plan, NONE, 60)).slice(0, 3))
    expect(line.length).toBeLessThanOrEqual(60)
})

test('what came of each action is one line, whatever another machine says', () => {
  const [action] = plan.actions
  if (action?.kind !== 'migrate') throw new Error('no move')
  expect(didLines([{ ...action, outcome: 'skipped', detail: 'idle: no\n\u001B[2Jroom' }])).toEqual([
    'migrate PID 7 from full to idle: skipped: idle: no room',
  ])
})

test('machines without a measurement are named, those that were not asked are not', () => {
  const identity = { address: '', os: 'linux', self: false }
  const nodes = [
    { ...identity, name: 'mute', outcome: 'timeout' as const, reason: 'no answer' },
    { ...identity, name: 'away', outcome: 'offline' as const, reason: 'since noon' },
  ]
  const passed = [{ node: 'full', pid: 7, to: 'idle', reason: 'terminal: it has one' }]
  expect(leftOutLines(passed, nodes)).toEqual([
    'mute: timeout: no answer',
    'PID 7 of full to idle: terminal: it has one',
  ])
})
