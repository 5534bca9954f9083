import { expect, test } from 'vitest'
import { chart } from './chart.ts'
import { averageOf, nextAverage, shown } from './load-average.ts'
import { compare } from './outcome.ts'
import { POLICIES, type Policy } from './policies.ts'
import { Random } from './random.ts'
import { simulate, type SimOptions } from './world.ts'

const settled = (seed: number, policy: Policy = 'planner', more: Partial<SimOptions> = {}) =>
  simulate({ nodes: 100, minutes: 15, seed, policy, work: 'settle', ...more })
const flowing = (seed: number, policy: Policy, more: Partial<SimOptions> = {}) =>
  simulate({ nodes: 50, minutes: 120, seed, policy, work: 'flow', ...more })
const SEEDS = [1, 2, 3, 4, 5]

test('after a skewed start no node is PLUS within 5 minutes, and of 100 moves less than one is a second one', () => {
  for (const seed of SEEDS) {
    const { plusOverTime, minutesToNoPlus, moves, again } = settled(seed)
    expect(plusOverTime[0]?.plus, `seed ${seed}`).toBeGreaterThan(5)
    expect(minutesToNoPlus, `seed ${seed}`).toBeLessThanOrEqual(5)
    expect(moves, `seed ${seed}`).toBeGreaterThan(10)
    expect(again / moves, `seed ${seed}`).toBeLessThan(0.01)
  }
})

test('the predictions do that by themselves, where machines forget which process was moved', () => {
  const runs = SEEDS.map((seed) => settled(seed, 'planner', { forgetful: true }))
  const total = (of: 'moves' | 'again') => runs.reduce((sum, run) => sum + run[of], 0)
  for (const { minutesToNoPlus } of runs) expect(minutesToNoPlus).toBeLessThanOrEqual(5)
  expect(total('again') / total('moves')).toBeLessThan(0.01)
})

test('while work comes and ends the planner moves no process twice in 5 minutes, and the naive rule oscillates', () => {
  for (const seed of [1, 2]) {
    const [planner, naive, never] = [flowing(seed, 'planner'), flowing(seed, 'naive'), flowing(seed, 'never')]
    process.stdout.write(
      `seed ${seed}: planner ${planner.moves} moves, ${planner.again} again; naive ${naive.moves}, ${naive.again}\n`,
    )
    expect(planner.moves).toBeGreaterThan(50)
    expect(planner.again / planner.moves).toBeLessThan(0.01)
    expect(naive.again / naive.moves).toBeGreaterThan(0.2)
    expect(naive.moves).toBeGreaterThan(1.5 * planner.moves)
    expect(planner.atTrit.plus).toBeLessThan(naive.atTrit.plus / 2)
    expect(planner.atTrit.plus).toBeLessThan(never.atTrit.plus / 3)
  }
})

test('the same seed gives the same run', () => {
  for (const policy of POLICIES) {
    const [one, other] = [settled(7, policy), settled(7, policy)]
    const { moves, again, failed, refused } = one
    expect(other).toMatchObject({ moves, again, failed, refused })
    expect(other.plusOverTime).toEqual(one.plusOverTime)
  }
})

test('a load average follows the kernel: up to its goal, and from 8 to 0.8 in two and a half minutes', () => {
  let rising = 0
  for (let sample = 0; sample < 12; sample++) rising = nextAverage(rising, 1)
  expect(shown(rising)).toBeCloseTo(1 - Math.exp(-1), 1)
  for (let sample = 0; sample < 200; sample++) rising = nextAverage(rising, 1)
  expect(shown(rising)).toBe(1)
  let falling = averageOf(8)
  let samples = 0
  for (; shown(falling) > 0.8; samples++) falling = nextAverage(falling, 0)
  expect(samples * 5).toBeGreaterThan(130)
  expect(samples * 5).toBeLessThanOrEqual(150)
})

test('random numbers are spread evenly, and streams of one seed differ', () => {
  const random = new Random(1, 'a')
  const drawn = Array.from({ length: 10_000 }, () => random.next())
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length
  expect(mean).toBeCloseTo(0.5, 1)
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...drawn)).toBeLessThan(1)
  expect(new Random(1, 'b').next()).not.toBe(new Random(1, 'a').next())
})

test('the drawing has a bar of three parts and a line for every policy', () => {
  const outcomes = POLICIES.map((policy) => compare({ nodes: 10, minutes: 20, seed: 3, policy }))
  const svg = chart(outcomes, { nodes: 10, hours: 1 / 3, seed: 3 })
  expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true)
  expect(svg.match(/<polyline /g)).toHaveLength(POLICIES.length)
  for (const policy of POLICIES) expect(svg.split(`>${policy}<`).length - 1).toBe(2)
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  for (const { flow } of outcomes)
    expect(flow.minusShare + flow.ergodicShare + flow.plusShare).toBeCloseTo(1, 10)
})
