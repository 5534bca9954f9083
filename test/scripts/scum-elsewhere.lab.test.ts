import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'
import { repositoryInside } from '../lab/layout.ts'

let lab: Lab
let there: string
beforeAll(async () => {
  lab = await openLab({ instance: 'scum-elsewhere', hosts: 2, tailnet: false })
  await lab.trustLan('n1')
  there = lab.nodes[1]?.lanIp ?? ''
})
afterAll(() => lab?.close())

const just = async (...words: string[]) =>
  await lab.exec('n1', ['just', ...words, '--hosts', there, '--host', there], { cwd: repositoryInside })
const sh = async (text: string) => (await lab.exec('n2', ['bash', '-c', text])).stdout.trim()
const begin = async (script: string) =>
  await sh(`setsid sh -c '${script}' </dev/null >/dev/null 2>&1 & echo $!`)
const isThere = async (pid: string) => (await sh(`kill -0 ${pid} 2>/dev/null && echo yes`)) === 'yes'

test('a process of another machine is slowed down and let go, and one that ends kindly ends so', async () => {
  const pid = await begin('while :; do sleep 1; done')
  const held = await just('scum-throttle', pid, '--json')
  expect(JSON.parse(held.stdout)).toMatchObject({ pid: Number(pid), passedOver: [] })
  // It is written down there, as that machine itself would.
  expect(await sh('cat ~/.local/state/resource-sharing/held/*.json')).toContain(`"pid":${pid}`)
  expect((await just('scum-throttle', pid)).stderr).toContain(`PID ${pid} is held already`)
  const released = await just('scum-throttle', pid, '--release', '--json')
  expect(JSON.parse(released.stdout).released).toMatchObject([{ pid: Number(pid), outcome: 'released' }])
  expect((await just('scum-throttle', pid, '--release')).exitCode).toBe(5)
  const ended = await just('scum-kill', pid, '--yes', '--json')
  expect(JSON.parse(ended.stdout).processes).toMatchObject([{ pid: Number(pid), outcome: 'ended' }])
  expect(await isThere(pid)).toBe(false)
})

test('one that is stopped or does not listen is ended all the same', async () => {
  const deaf = await begin('trap "" TERM; while :; do sleep 1; done')
  const stopped = await begin('while :; do sleep 1; done')
  await expect.poll(async () => await sh(`grep -c "^SigIgn:.*[4567c-f]...$" /proc/${deaf}/status`)).toBe('1')
  await sh(`kill -STOP ${stopped}`)
  const { stdout, exitCode } = await just('scum-kill', deaf, stopped, '--yes', '--grace', '1', '--json')
  const outcomes = JSON.parse(stdout).processes.map(({ outcome }: { outcome: string }) => outcome)
  expect(outcomes).toEqual(['killed', 'ended'])
  expect(exitCode).toBe(0)
  expect([await isThere(deaf), await isThere(stopped)]).toEqual([false, false])
})

test.each([
  { what: 'the first process', pid: '1', says: /PID 1 .* is the first process of the machine/ },
  { what: 'none at all', pid: '4000000', says: /there is no process with PID 4000000/ },
])('$what is refused before anything is touched', async ({ pid, says }) => {
  for (const words of [
    ['scum-kill', pid, '--yes'],
    ['scum-throttle', pid],
  ]) {
    const { stderr, exitCode } = await just(...words)
    expect(stderr).toMatch(says)
    expect(exitCode).toBe(5)
  }
})

test('the ssh server there is not ended, and what can not be done from here is a matter of usage', async () => {
  const sshd = await sh('pgrep -o -x sshd')
  const refused = await just('scum-kill', sshd, '--yes', '--force')
  expect(refused.stderr).toMatch(/\(sshd\) is (?:the ssh server|this program or what it was started from)/)
  expect(await isThere(sshd)).toBe(true)
  expect((await just('scum-throttle', sshd, '--pause')).exitCode).toBe(2)
})
