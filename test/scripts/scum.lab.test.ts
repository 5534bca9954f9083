import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { liveProcess, liveProcesses } from '../../lib/machine/live-processes.ts'
import { openLab, type Lab } from '../lab/lab.ts'
import { LocalProcesses, treeOfPid as tree } from '../local-processes.ts'

const local = new LocalProcesses()
const just: LocalProcesses['just'] = async (...args) => await local.just(...args)

test('renice lowers every thread, and the release brings back what was', async () => {
  const pid = local.workload(1)
  await sleep(300)
  const niceness = async () => {
    const { stdout } = await execa('ps', [
      '-o',
      'ni=',
      '-p',
      (await tree(pid)).map((each) => each.pid).join(','),
    ])
    return stdout.split('\n').map((line) => line.trim())
  }
  const before = await niceness()
  expect(before).toHaveLength(2)
  await just('scum-throttle', String(pid), '--by', 'renice')
  expect(await niceness()).toEqual(['19', '19'])
  await just('scum-throttle', String(pid), '--release')
  expect(await niceness()).toEqual(before)
})

test('a pause stops the whole tree, and the release continues it but for what was stopped before', async () => {
  const pid = local.workload(2)
  await sleep(300)
  const [, first, second] = await tree(pid)
  if (!first) throw new Error('it has no child')
  process.kill(first.pid, 'SIGSTOP')
  await just('scum-throttle', String(pid), '--pause')
  expect((await tree(pid)).map(({ stopped }) => stopped)).toEqual([true, true, true])
  expect((await just('throttled', '--json')).stdout).toContain(`"pid": ${pid}`)
  expect((await just('scum-throttle', String(pid), '--pause')).exitCode).toBe(5)
  await just('scum-throttle', String(pid), '--release')
  await expect
    .poll(async () => (await tree(pid)).filter(({ stopped }) => stopped).map((each) => each.pid))
    .toEqual([first.pid])
  expect(second && (await liveProcess(second.pid))?.stopped).toBe(false)
})

test('children that are born while their tree is paused are not stopped for good either', async () => {
  const forks =
    'import os,time\nwhile True:\n  if not os.fork(): time.sleep(60); os._exit(0)\n  time.sleep(0.01)'
  const parent = local.start('python3', ['-c', forks])
  await sleep(500)
  expect((await just('scum-throttle', String(parent), '--pause')).exitCode).toBe(0)
  const members = await tree(parent)
  expect(members.length).toBeGreaterThan(2)
  expect(members.filter(({ stopped }) => !stopped)).toEqual([])
  process.kill(parent, 'SIGKILL')
  await expect.poll(async () => await liveProcess(parent)).toBeUndefined()
  await just('throttled')
  const pids = new Set(members.map(({ pid }) => pid))
  const left = [...(await liveProcesses()).values()].filter(({ pid, stopped }) => pids.has(pid) && stopped)
  expect(left).toEqual([])
})

test('a process is not held twice, nor by way of its parent or child', async () => {
  const pid = local.workload(1)
  await sleep(300)
  const child = (await tree(pid))[1]?.pid
  await just('scum-throttle', String(child), '--by', 'renice')
  const twice = await just('scum-throttle', String(pid), '--by', 'renice')
  expect(twice).toMatchObject({
    exitCode: 5,
    stderr: expect.stringMatching(`^PID ${child} .* is held already`),
  })
  await just('scum-throttle', String(child), '--release')
  await just('scum-throttle', String(pid), '--by', 'renice')
  expect((await just('scum-throttle', String(child), '--pause')).exitCode).toBe(5)
  expect((await just('scum-throttle', String(pid), '--release')).exitCode).toBe(0)
})

test('a record that this version does not understand is not passed over in silence', async () => {
  await just('throttled')
  const file = join(local.state, 'resource-sharing', 'held', 'strange.json')
  await writeFile(file, '{"means":"magic"}')
  expect((await just('throttled')).stderr).toContain('strange.json" is no record of this version')
  await rm(file)
})

test('a question that is answered by Ctrl-C or the end of the input kills nobody, and says so by its exit code', async () => {
  const sleeper = local.start('sleep', ['60'])
  const root = new URL('../..', import.meta.url).pathname
  const ask = async (key: string) => {
    const command = `cd '${root}' && exec node cli/start.mjs scripts/scum-kill.ts ${sleeper}`
    const terminal = execa('script', ['-qefc', command, '/dev/null'], { reject: false, timeout: 20_000 })
    terminal.stdout.on('data', (text) => String(text).includes('[y/N]') && terminal.stdin.write(key))
    return (await terminal).exitCode
  }
  expect([await ask('\u0003'), await ask('\u0004'), await ask('n\r')]).toEqual([130, 5, 5])
  expect(await liveProcess(sleeper)).toBeDefined()
})

test('a record of before a reboot touches nothing, and says so', async () => {
  const sleeper = local.start('sleep', ['60'])
  await just('scum-throttle', String(sleeper), '--pause')
  const [name = ''] = await local.records()
  const file = join(local.state, 'resource-sharing', 'held', name)
  const record = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...record, boot: 'an earlier one' }))
  const released = await just('scum-throttle', String(sleeper), '--release')
  expect(released.stderr).toMatch(/its PID belongs to another process now: nothing was touched/)
  expect(released.exitCode).toBe(5)
  expect((await liveProcess(sleeper))?.stopped).toBe(true)
  expect(await local.records()).toEqual([])
})

test('a parent that ends while its tree is paused leaves no child stopped for good', async () => {
  const pid = local.workload(1)
  await sleep(300)
  const child = (await tree(pid))[1]?.pid ?? 0
  await just('scum-throttle', String(pid), '--pause')
  process.kill(pid, 'SIGKILL')
  await expect.poll(async () => await liveProcess(pid)).toBeUndefined()
  const { stderr } = await just('throttled')
  expect(stderr).toMatch(/it has ended; released/)
  expect((await liveProcess(child))?.stopped).toBe(false)
})

test('a limiter that is killed leaves its process running: the next run sees to it', async () => {
  const pid = local.workload(1)
  await sleep(300)
  const args = [String(pid), '--by', 'cpulimit', '--percent', '10']
  expect(await just('scum-throttle', ...args)).toMatchObject({ exitCode: 0 })
  const words = new Set((await tree(pid)).map((each) => `--pid=${each.pid}`))
  const limitersOfTree = async () => {
    const all = [...(await liveProcesses()).values()].filter(({ command }) => command === 'cpulimit')
    const lines = await Promise.all(
      all.map(async (each) => await readFile(`/proc/${each.pid}/cmdline`, 'utf8').catch(() => '')),
    )
    return all.filter((_, index) => lines[index]?.split('\0').some((word) => words.has(word)))
  }
  await expect.poll(async () => (await limitersOfTree()).length).toBeGreaterThan(0)
  const limiters = await limitersOfTree()
  for (const { parent, pid: limiter } of limiters) {
    process.kill(parent, 'SIGKILL')
    process.kill(limiter, 'SIGKILL')
  }
  await just('throttled')
  await expect.poll(async () => (await tree(pid)).map(({ stopped }) => stopped)).toEqual([false, false])
})

test('scum-kill asks to end, then kills, and touches nobody else', async () => {
  const stubborn = local.start('sh', ['-c', 'trap "" TERM; while :; do sleep 0.1; done'])
  const bystander = local.start('sleep', ['60'])
  const paused = local.workload(1)
  await sleep(300)
  await just('scum-throttle', String(paused), '--pause')
  const pids = [stubborn, paused].map(String)
  expect((await just('scum-kill', ...pids)).stderr).toMatch(
    /^End \d+ \(sh\), \d+ \(sh\)\? There is no terminal/,
  )
  const { stdout, exitCode } = await just('scum-kill', ...pids, '--yes', '--grace', '1', '--json')
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout).processes.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
    'killed',
    'ended',
  ])
  expect([await liveProcess(stubborn), await liveProcess(paused)]).toEqual([undefined, undefined])
  expect(await liveProcess(bystander)).toBeDefined()
})

test.each([
  [['1'], 5, /^PID 1 /],
  [['2'], 5, /thread of the kernel$/],
  [[String(process.pid)], 5, /this program or what it was started from$/],
  [['4194304'], 5, /^there is no process with PID 4194304$/],
  [['0'], 2, /"0" is not a PID/],
  [['abc'], 2, /"abc" is not a PID/],
  [['-1'], 2, /-1/],
  [[], 2, /which process/],
] as const)('%j: neither script touches it', async (pids, exitCode, message) => {
  for (const [script, extra] of [
    ['scum-kill', ['--yes']],
    ['scum-throttle', []],
  ] as const) {
    const ran = await just(script, ...pids, ...extra)
    expect(ran.stderr).toMatch(message)
    expect(ran).toMatchObject({ exitCode, stdout: '' })
  }
})

test('a throttle whose PID belongs to another process now touches nothing, and says so', async () => {
  const lab: Lab = await openLab({ instance: 'scum', hosts: 1, tailnet: false })
  try {
    const start = 'setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!'
    const { stdout: first } = await lab.exec('n1', ['bash', '-c', start])
    const at = { cwd: '/srv/resource-sharing' }
    const look = async (pid: string) =>
      (await lab.exec('n1', ['ps', '-o', 'ni=,stat=', '-p', pid])).stdout.trim()
    // It has begun to sleep.
    await expect.poll(async () => await look(first)).toMatch(/^\d+ +S/)
    const before = await look(first)
    expect((await lab.exec('n1', ['just', 'scum-throttle', first, '--by', 'renice'], at)).exitCode).toBe(0)
    // Something else may be given the number first: then it is tried again.
    const again = `kill -9 ${first}; while kill -0 ${first} 2>/dev/null; do sleep 0.1; done
      for each in $(seq 20); do
        echo ${Number(first) - 1} >/proc/sys/kernel/ns_last_pid
        setsid sleep 600 </dev/null >/dev/null 2>&1 &
        [ $! != ${first} ] || break
        kill $!
        while kill -0 ${first} 2>/dev/null; do sleep 0.1; done
      done; echo $!`
    const { stdout: second } = await lab.exec('n1', ['bash', '-c', again])
    expect(second).toBe(first)
    const released = await lab.exec('n1', ['just', 'scum-throttle', first, '--release'], at)
    expect(released.stderr).toMatch(/its PID belongs to another process now: nothing was touched/)
    expect(released.exitCode).toBe(5)
    await expect.poll(async () => await look(first)).toBe(before)
    expect((await lab.exec('n1', ['just', 'throttled', '--json'], at)).stdout).toBe('{\n  "held": []\n}')
  } finally {
    await lab.close()
  }
})
