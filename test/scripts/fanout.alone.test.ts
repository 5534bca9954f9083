import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'

const HOSTS = 32

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'fanout', hosts: HOSTS, tailnet: false })
  await lab.trustLan('n1')
})
afterAll(() => lab?.close())

async function timed(argv: string[]) {
  const began = performance.now()
  const ran = await lab.exec('n1', argv, { cwd: '/srv/resource-sharing' })
  return { ...ran, seconds: (performance.now() - began) / 1000 }
}

test(`${HOSTS} hosts answer in one run; how long that takes is printed beside clush`, async () => {
  const others = lab.nodes.slice(1).map(({ lanIp }) => lanIp)
  const balance = ['just', 'mesh-balance', '--json', '--hosts', others.join(','), '--timeout', '60']
  const clush = [
    'clush',
    '-f',
    '64',
    '-w',
    others.join(','),
    '-o',
    '-o BatchMode=yes',
    'cat /proc/loadavg; nproc',
  ]
  const peer = await timed(clush)
  const first = await timed(balance)
  const again = await timed(balance)
  expect(peer.stdout.split('\n')).toHaveLength(2 * others.length)
  for (const { stdout, exitCode, stderr } of [first, again]) {
    expect([exitCode, stderr]).toEqual([0, ''])
    const { nodes }: { nodes: { outcome: string }[] } = JSON.parse(stdout)
    expect(nodes.filter(({ outcome }) => outcome === 'ok')).toHaveLength(HOSTS)
  }
  const ratio = (seconds: number) =>
    `${seconds.toFixed(2)} s (${(seconds / peer.seconds).toFixed(2)} of clush)`
  process.stdout.write(
    `${others.length} hosts: clush -f 64 ${peer.seconds.toFixed(2)} s; ` +
      `mesh-balance ${ratio(first.seconds)}, with kept connections ${ratio(again.seconds)}\n`,
  )
})
