import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { faultsOf } from '../migrate/ticks.ts'
import { counter, Scene } from '../migrate/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await Scene.open('taildrop')
}, 1_200_000)
afterEach(async () => await scene.end())
afterAll(async () => await scene?.lab.close(), 60_000)

const INBOX =
  'curl -s --unix-socket /var/run/tailscale/tailscaled.sock http://local-tailscaled.sock/localapi/v0/files/'

test('by Taildrop a process moves as by ssh, and what else is in the inbox stays there', async () => {
  const { tailnetIp } = scene.lab.nodes.find(({ name }) => name === 'n2') ?? {}
  await scene.sh('n1', `echo precious >/root/other.txt; tailscale file cp /root/other.txt ${tailnetIp}:`)
  const workload = await scene.counting('n1', counter(20_000_000))
  await scene.moved('n1', [String(workload.pid), '--target', 'n2', '--copy-files', '--via', 'taildrop'])
  await scene.goesOn('n2', workload)
  expect(faultsOf(await scene.ticks('n1', workload), await scene.ticks('n2', workload))).toEqual([])
  expect(await scene.present(workload)).toEqual(['n2'])
  expect(await scene.leftovers()).toEqual([])
  expect(JSON.parse(await scene.sh('n2', INBOX))).toMatchObject([{ Name: 'other.txt', Size: 9 }])
})

test('where the target has no curl to take images from the inbox, the process is not frozen', async () => {
  const workload = await scene.counting('n1')
  await scene.sh('n2', 'mv /usr/bin/curl /usr/bin/curl.away')
  const move = await scene.move('n1', [
    String(workload.pid),
    '--target',
    'n2',
    '--copy-files',
    '--via',
    'taildrop',
  ])
  await scene.sh('n2', 'mv /usr/bin/curl.away /usr/bin/curl')
  expect(move).toMatchObject({ exitCode: 1, stdout: '' })
  expect(move.stderr).toContain(
    'n2: Taildrop can not be used: curl is needed to take files from tailscaled: PID',
  )
  const ticks = await scene.ticks('n1', workload)
  const gaps = ticks.slice(1).map(({ at }, index) => at - (ticks[index]?.at ?? at))
  expect(Math.max(...gaps)).toBeLessThan(0.5)
  expect(await scene.leftovers({ undone: true })).toEqual([])
})
