import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkedPlan, type Hindrance, type Move, type Verdict } from '../../../../lib/work/rebalance/check.ts'
import { meshes, node, OPTIONS, spinning } from '../../model/plan/mesh.ts'

/** Three spinning processes on one CPU, and as many machines with room as there are names. */
const mesh = (...names: string[]) => ({
  nodes: [
    node('full', 3, 1, { processes: [1, 2, 3].map((pid) => spinning(pid, { cpuPercent: 33.4 })) }),
    ...names.map((name) => node(name, 0, 2)),
  ],
  jobs: [],
})
const because = (hindered: (move: Move) => Hindrance['because'] | undefined) => {
  const looked: string[] = []
  const look = async (move: Move): Promise<Verdict<string>> => {
    looked.push(`${move.pid} ${move.to}`)
    const found = hindered(move)
    return found ? { movable: false, because: found, reason: found } : { movable: true, way: `by ${move.to}` }
  }
  return { look, looked }
}
const movesOf = async (names: string[], hindered: (move: Move) => Hindrance['because'] | undefined) => {
  const { look, looked } = because(hindered)
  const { plan, ways, passed } = await checkedPlan(mesh(...names), OPTIONS, look)
  const moves = plan.actions.flatMap((action) =>
    action.kind === 'migrate' ? [`${action.pid} ${action.to} ${ways.get(action)}`] : [],
  )
  return { moves, looked, passed: passed.length }
}

test('a plan whose moves can all be made is the plan, with how each is made', async () => {
  expect(await movesOf(['a', 'b'], () => undefined)).toEqual({
    moves: ['1 a by a', '2 b by b'],
    looked: ['1 a', '2 b'],
    passed: 0,
  })
})

test('another process goes in the place of one that can not move', async () => {
  const { moves } = await movesOf(['a', 'b'], ({ pid }) => (pid === 1 ? 'process' : undefined))
  expect(moves).toEqual(['2 a by a', '3 b by b'])
})

test('where one process of a machine can not move for a reason that holds for all, no other is looked at', async () => {
  const { moves, looked } = await movesOf(['a'], () => 'source')
  expect(moves).toEqual([])
  expect(looked).toEqual(['1 a'])
})

test('a machine that takes none is asked once', async () => {
  const { moves, looked } = await movesOf(['a', 'b'], ({ to }) => (to === 'a' ? 'target' : undefined))
  expect(moves).toEqual(['1 b by b'])
  expect(looked.filter((each) => each.endsWith(' a'))).toEqual(['1 a'])
})

test('a process that one machine can not have goes to another', async () => {
  const { moves } = await movesOf(['a', 'b'], ({ pid, to }) => (pid === 1 && to === 'a' ? 'pair' : undefined))
  expect(moves).toContain('1 b by b')
})

test('a process that no machine can have does not keep others from moving', async () => {
  const { moves } = await movesOf(['a', 'b'], ({ pid }) => (pid === 1 ? 'pair' : undefined))
  expect(moves).toEqual(['2 a by a', '3 b by b'])
})

test('whatever is found, it comes to an end, and every move that is planned can be made', async () => {
  const verdict = fc.constantFrom('process', 'source', 'target', 'pair', undefined)
  const planned: string[] = []
  const made: unknown[] = []
  await fc.assert(
    fc.asyncProperty(meshes, fc.array(verdict, { minLength: 1 }), async (snapshot, verdicts) => {
      const found = new Map<string, Hindrance['because'] | undefined>()
      const { look } = because((move) => {
        const key = `${move.pid} ${move.to}`
        if (!found.has(key)) found.set(key, verdicts[found.size % verdicts.length])
        return found.get(key)
      })
      const { plan, ways } = await checkedPlan(snapshot, OPTIONS, look)
      const moves = plan.actions.filter((action) => action.kind === 'migrate')
      planned.push(...moves.map(({ to }) => `by ${to}`))
      made.push(...moves.map((move) => ways.get(move)))
    }),
    { numRuns: 50 },
  )
  expect(made).toEqual(planned)
})
