import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'

const HOSTS = 32

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'fanout', hosts: HOSTS, tailnet: false })
  await lab.trustLan('n1')
})
afterAll(() => lab?.close())

test.each([
  ['over new connections', 0],
  ['over those that the run before has kept', 40],
] as const)(
  `${HOSTS} hosts that are asked at once all answer, each with its own load of that moment, %s`,
  async (_, more) => {
    // Nothing of what was measured before may be told again, and nobody's load as another's.
    await Promise.all(lab.nodes.map(async ({ name }, index) => await lab.setLoad(name, index + more)))
    const others = lab.nodes.slice(1).map(({ lanIp }) => lanIp)
    const argv = ['just', 'mesh-balance', '--json', '--hosts', others.join(','), '--timeout', '60']
    const { stdout, exitCode, stderr } = await lab.exec('n1', argv, { cwd: '/srv/resource-sharing' })
    expect([exitCode, stderr]).toEqual([0, ''])
    const { nodes }: { nodes: { name: string; load1?: number; self: boolean }[] } = JSON.parse(stdout)
    expect(new Map(nodes.map(({ name, self, load1 }) => [self ? '' : name, load1]))).toEqual(
      new Map(lab.nodes.map(({ lanIp }, index) => [index === 0 ? '' : lanIp, index + more])),
    )
  },
)
