import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'
import { FAULTS } from '../migrate/faults.ts'
import { torture } from '../migrate/rounds.ts'

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'torture-test', hosts: 3, tailnet: false })
}, 1_200_000)
afterAll(async () => await lab?.close(), 60_000)

test('migrations with each of the faults: the process runs exactly once afterwards, and no tick is lost', async () => {
  const said: string[] = []
  const rounds = { count: FAULTS.length, seed: Date.now() % 100_000, systematic: false }
  const { wrong, lines } = await torture(lab, rounds, (line) => said.push(line))
  process.stdout.write(`${lines.join('\n')}\n`)
  expect(wrong, said.join('\n')).toBe(0)
}, 2_400_000)
