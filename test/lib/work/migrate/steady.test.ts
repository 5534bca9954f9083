import { expect, test } from 'vitest'
import type { SourceFacts } from '../../../../lib/work/migrate/facts/facts.ts'
import type { Gathered } from '../../../../lib/work/migrate/facts/refusal.ts'
import { lookUntilSteady } from '../../../../lib/work/migrate/steady.ts'
import { source, task } from './snapshots.ts'

const known = (changes: Partial<SourceFacts> = {}): Gathered<SourceFacts> => ({
  known: true,
  facts: source(changes),
})
const failed = (code: string): Gathered<SourceFacts> => ({
  known: false,
  refusal: { code, sentence: 'n1: half of it', at: 'source' },
})
const STEADY = known()
const PLAIN = known({ changing: true })
/** A child that the tree has at this look, and at no other, is told by its number. */
const odd = (pid: number) => known({ changing: true, outside: [], tree: [task({ tracer: pid })] })
const UNREAD = known({ files: { '/elsewhere': { sizeBytes: 1, modified: 0 } } })
const NEVER_THE_SAME = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((pid) => odd(pid))

test.each<[string, Gathered<SourceFacts>[], looks: number]>([
  ['one look at a tree that stays as it is', [STEADY], 1],
  ['two looks that say the same of one that changes', [PLAIN, PLAIN], 2],
  ['looks until two that follow each other say the same', [odd(7), PLAIN, odd(7), odd(8), PLAIN, PLAIN], 6],
  ['looks until it stays as it is', [odd(7), PLAIN, STEADY], 3],
  ['no more than eight at one that is never the same', NEVER_THE_SAME, 8],
  ['another look where a file had gone before it was read', [UNREAD, STEADY], 2],
  ['no third where it never can be', [UNREAD, UNREAD], 2],
  ['another look where half an answer came', [failed('bad-answer'), STEADY], 2],
  ['one look where the machine or the process is not there', [failed('unreachable')], 1],
])('it takes %s', async (_, all, looks) => {
  const rest = [...all]
  const look = async () => rest.shift() ?? failed('asked too often')
  const found = await lookUntilSteady(look, () => true)
  expect(all.length - rest.length).toBe(looks)
  expect(found).toBe(all[looks - 1])
})

test('no look is begun when the time has passed', async () => {
  const rest = [...NEVER_THE_SAME]
  const look = async () => rest.shift() ?? STEADY
  expect(await lookUntilSteady(look, () => rest.length > 6)).toBe(NEVER_THE_SAME[2])
})
