import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { carryOut, type Went } from '../../../../lib/work/rebalance/carry-out.ts'

const done = { outcome: 'done', detail: '' } as const
const outcomes = async (went: readonly Went['outcome'][], atOnce: number) => {
  const did = await carryOut(went, async (outcome) => ({ outcome, detail: '' }), { atOnce })
  return did.map(({ outcome }) => outcome)
}

test('what is refused does not stop the others', async () => {
  expect(await outcomes(['done', 'skipped', 'done'], 1)).toEqual(['done', 'skipped', 'done'])
})

test.each(['failed', 'in doubt'] as const)('after one that is %s none is begun', async (outcome) => {
  expect(await outcomes(['done', outcome, 'done', 'done'], 1)).toEqual([
    'done',
    outcome,
    'not begun',
    'not begun',
  ])
})

test('what is under way when one fails comes to its end', async () => {
  const act = async (ms: number): Promise<Went> => {
    await sleep(ms)
    return ms === 20 ? { outcome: 'failed', detail: '' } : done
  }
  const did = await carryOut([100, 20, 1], act, { atOnce: 2 })
  expect(did.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'not begun'])
})

test('no more than so many are under way at the same time', async () => {
  let now = 0
  let most = 0
  const act = async (): Promise<Went> => {
    most = Math.max(most, (now += 1))
    await sleep(5)
    now -= 1
    return done
  }
  await carryOut([1, 2, 3, 4, 5, 6], act, { atOnce: 2 })
  expect(most).toBe(2)
})

test('what is thrown comes when all that was begun has ended, and nothing more is begun', async () => {
  const ended: number[] = []
  const act = async (ms: number): Promise<Went> => {
    if (ms === 1) throw new Error('interrupted')
    await sleep(ms)
    ended.push(ms)
    return done
  }
  await expect(carryOut([30, 1, 2], act, { atOnce: 2 })).rejects.toThrow('interrupted')
  expect(ended).toEqual([30])
})
