import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'
import { FAULTS, SOCKET_FAULTS, TERMINAL_FAULTS } from '../migrate/faults.ts'
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

test('the same of what has a terminal, whose holders are killed too, or the old one closed', async () => {
  const said: string[] = []
  const count = TERMINAL_FAULTS.length + 1
  const rounds = { count, seed: Date.now() % 100_000, systematic: false, terminals: true }
  const { wrong, lines } = await torture(lab, rounds, (line) => said.push(line))
  process.stdout.write(`${lines.join('\n')}\n`)
  expect(wrong, said.join('\n')).toBe(0)
}, 2_400_000)

test('the same of what has a socket of the network: a server, and a client whose connection is there still where it stays', async () => {
  const said: string[] = []
  const rounds = {
    count: SOCKET_FAULTS.length + 2,
    seed: Date.now() % 100_000,
    systematic: false,
    sockets: true,
  }
  const { wrong, lines } = await torture(lab, rounds, (line) => said.push(line))
  process.stdout.write(`${lines.join('\n')}\n`)
  expect(wrong, said.join('\n')).toBe(0)
}, 2_400_000)
