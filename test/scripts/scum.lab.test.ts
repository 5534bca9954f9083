import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { liveProcess, liveProcesses, treeOf } from '../../lib/process/live.ts'
import { throttleMeans } from '../../lib/throttle/throttle.ts'
import { openLab, type Lab } from '../lab/lab.ts'
import { runScript } from '../run-script.ts'

// Real processes on this machine, as root; the state folder is the test's own.
let state = ''
const started: ChildProcess[] = []
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'rs-test-'))
})
afterEach(() => {
  for (const { pid } of started.splice(0)) if (pid !== undefined) kill(-pid)
})
afterAll(() => rm(state, { recursive: true }))

function kill(group: number): void {
  try {
    process.kill(group, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** A workload in a session of its own: a shell and `busy` children that spin. */
function workload(busy: number): number {
  const script = `i=0; while [ $i -lt ${busy} ]; do sh -c 'while :; do :; done' & i=$((i + 1)); done; wait`
  const child = spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' })
  started.push(child)
  return child.pid ?? 0
}

function just(script: string, ...args: string[]) {
  return runScript(script, args, { XDG_STATE_HOME: state })
}

async function tree(pid: number) {
  const all = await liveProcesses()
  const root = all.get(pid)
  return root ? treeOf(all, root) : []
}

/** CPU that a tree uses over some seconds, in percent of one CPU. */
async function usage(pid: number, seconds: number): Promise<number> {
  const ticks = async () => {
    const stats = await Promise.all(
      (await tree(pid)).map((each) => readFile(`/proc/${each.pid}/stat`, 'latin1')),
    )
    const used = stats.map((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' '))
    return used.reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0)
  }
  const [before, began] = [await ticks(), performance.now()]
  await sleep(seconds * 1000)
  return ((await ticks()) - before) / ((performance.now() - began) / 1000)
}

/** What a tree of one busy process uses, beside one that nobody has ever held: the machine may have other work. */
async function shareOfTwin(pid: number): Promise<number> {
  const twin = workload(1)
  await sleep(300)
  const [own, other] = await Promise.all([usage(pid, 3), usage(twin, 3)])
  return own / other
}

async function records(): Promise<string[]> {
  return await readdir(join(state, 'resource-sharing', 'held')).catch(() => [])
}

test('a process that spins is counted within one window of its start, scores 0.6, and is not counted after its end', async () => {
  const pid = workload(1)
  await sleep(50)
  const [, spinner] = await tree(pid)
  const counted = async () => JSON.parse((await just('node-trit', '--json')).stdout).processes.map(pidOf)
  expect(await counted()).toContain(spinner?.pid)
  const { nodes } = JSON.parse((await just('scum-view', '--json', '--window', '2000')).stdout)
  const [suspect] = nodes[0].processes.filter((each: { pid: number }) => each.pid === spinner?.pid)
  expect(suspect).toMatchObject({ user: 'root', command: 'sh', inScumClass: true, scumTrit: 1 })
  expect(suspect.terms.cpu).toBeGreaterThan(0.54)
  expect(suspect.terms.cpu).toBeLessThan(0.66)
  expect(suspect.score).toBe(suspect.terms.cpu + suspect.terms.mem + suspect.terms.runtime)
  kill(-pid)
  expect(await counted()).not.toContain(spinner?.pid)
})

function pidOf({ pid }: { pid: number }): number {
  return pid
}

test('2,000 processes: how long scum-view takes is printed beside ps and the window', async () => {
  const crowd = spawn(
    'python3',
    [
      '-c',
      'import os,time\nfor _ in range(2000):\n  if not os.fork(): time.sleep(60); os._exit(0)\ntime.sleep(60)',
    ],
    {
      detached: true,
      stdio: 'ignore',
    },
  )
  started.push(crowd)
  await expect.poll(async () => (await tree(crowd.pid ?? 0)).length).toBe(2001)
  const began = performance.now()
  await execa('ps', ['axo', 'pid,pcpu,pmem,comm'])
  const psSeconds = (performance.now() - began) / 1000
  const { stdout, seconds } = await just('scum-view', '--json', '-n', '5000')
  expect(JSON.parse(stdout).nodes[0].processes.length).toBeGreaterThan(2000)
  const share = seconds / (psSeconds + 0.5)
  process.stdout.write(
    `2,000 processes: scum-view ${seconds.toFixed(2)} s, ps ${psSeconds.toFixed(2)} s and the window 0.50 s: ratio ${share.toFixed(2)}\n`,
  )
})

const LIMITING = throttleMeans().filter((means) => means !== 'renice')

test.each(LIMITING)(
  '%s holds a process and its children to half a CPU, and lets them go again',
  async (means) => {
    const pid = workload(1)
    await sleep(300)
    const held = await just('scum-throttle', String(pid), '--percent', '50', '--by', means, '--json')
    if (held.exitCode !== 0) {
      process.stdout.write(`left out: ${means}: ${held.stderr}\n`)
      expect(held.stderr).toMatch(
        /can't be held: (?:no cgroup v2|systemd does not run here|cpulimit is not installed|no cgroup v1)/,
      )
      expect(await records()).toEqual([])
      return
    }
    expect(JSON.parse(held.stdout)).toMatchObject({ pid, means, percent: 50, processes: 2 })
    const limited = await usage(pid, 5)
    expect(limited).toBeGreaterThan(40)
    expect(limited).toBeLessThan(60)
    expect((await just('scum-throttle', String(pid), '--release')).exitCode).toBe(0)
    expect(await usage(pid, 2)).toBeGreaterThan(90)
    expect(await records()).toEqual([])
  },
)

test('cgroup v1, where it is, holds two busy children together, and those that are born later', async () => {
  const pid = workload(2)
  await sleep(300)
  const { stdout, exitCode } = await just('scum-throttle', String(pid), '--percent', '50', '--json')
  expect(exitCode).toBe(0)
  const { means, processes } = JSON.parse(stdout)
  expect(processes).toBe(3)
  if (means === 'cgroup1' || means === 'cgroup2') expect(await usage(pid, 5)).toBeLessThan(60)
  await just('scum-throttle', String(pid), '--release')
})

test('renice lowers every thread, and the release brings back what was', async () => {
  const pid = workload(1)
  await sleep(300)
  await just('scum-throttle', String(pid), '--by', 'renice')
  const niceness = async () => {
    const { stdout } = await execa('ps', [
      '-o',
      'ni=',
      '-p',
      (await tree(pid)).map((each) => each.pid).join(','),
    ])
    return stdout.split('\n').map((line) => line.trim())
  }
  expect(await niceness()).toEqual(['19', '19'])
  await just('scum-throttle', String(pid), '--release')
  expect(await niceness()).toEqual(['0', '0'])
})

test('a pause stops the whole tree, and the release continues it but for what was stopped before', async () => {
  const pid = workload(2)
  await sleep(300)
  const [, first, second] = await tree(pid)
  process.kill(first?.pid ?? 0, 'SIGSTOP')
  await just('scum-throttle', String(pid), '--pause')
  expect((await tree(pid)).map(({ stopped }) => stopped)).toEqual([true, true, true])
  expect((await just('throttled', '--json')).stdout).toContain(`"pid": ${pid}`)
  expect((await just('scum-throttle', String(pid), '--pause')).exitCode).toBe(5)
  await just('scum-throttle', String(pid), '--release')
  await expect
    .poll(async () => (await tree(pid)).filter(({ stopped }) => stopped).map((each) => each.pid))
    .toEqual([first?.pid])
  expect(second && (await liveProcess(second.pid))?.stopped).toBe(false)
})

test('children that are born while their tree is paused are not stopped for good either', async () => {
  const forks =
    'import os,time\nwhile True:\n  if not os.fork(): time.sleep(60); os._exit(0)\n  time.sleep(0.003)'
  const parent = spawn('python3', ['-c', forks], { detached: true, stdio: 'ignore' })
  started.push(parent)
  await sleep(500)
  expect((await just('scum-throttle', String(parent.pid), '--pause')).exitCode).toBe(0)
  const members = await tree(parent.pid ?? 0)
  expect(members.filter(({ stopped }) => !stopped)).toEqual([])
  process.kill(parent.pid ?? 0, 'SIGKILL')
  await expect.poll(async () => await liveProcess(parent.pid ?? 0)).toBeUndefined()
  await just('throttled')
  const pids = new Set(members.map(({ pid }) => pid))
  const left = [...(await liveProcesses()).values()].filter(({ pid, stopped }) => pids.has(pid) && stopped)
  expect(left).toEqual([])
})

test('a process is not held twice, nor by way of its parent or child', async () => {
  const pid = workload(1)
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
  const file = join(state, 'resource-sharing', 'held', 'strange.json')
  await writeFile(file, '{"means":"magic"}')
  expect((await just('throttled')).stderr).toContain('strange.json" is no record of this version')
  await rm(file)
})

test('a question that is answered by Ctrl-C or the end of the input kills nobody, and says so by its exit code', async () => {
  const sleeper = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  started.push(sleeper)
  const root = new URL('../..', import.meta.url).pathname
  const ask = async (key: string) => {
    const command = `cd '${root}' && exec node --import ./node_modules/tsx/dist/esm/index.mjs scripts/scum-kill.ts ${sleeper.pid}`
    const terminal = execa('script', ['-qefc', command, '/dev/null'], { reject: false, timeout: 20_000 })
    terminal.stdout.on('data', (text) => String(text).includes('[y/N]') && terminal.stdin.write(key))
    return (await terminal).exitCode
  }
  expect([await ask('\u0003'), await ask('\u0004'), await ask('n\r')]).toEqual([130, 5, 5])
  expect(await liveProcess(sleeper.pid ?? 0)).toBeDefined()
})

test('a record of before a reboot touches nothing, and says so', async () => {
  const sleeper = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  started.push(sleeper)
  await just('scum-throttle', String(sleeper.pid), '--pause')
  const [name = ''] = await records()
  const file = join(state, 'resource-sharing', 'held', name)
  const record = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...record, boot: 'an earlier one' }))
  const released = await just('scum-throttle', String(sleeper.pid), '--release')
  expect(released.stderr).toMatch(/its PID belongs to another process now: nothing was touched/)
  expect(released.exitCode).toBe(5)
  expect((await liveProcess(sleeper.pid ?? 0))?.stopped).toBe(true)
  expect(await records()).toEqual([])
})

test('a parent that ends while its tree is paused leaves no child stopped for good', async () => {
  const pid = workload(1)
  await sleep(300)
  const child = (await tree(pid))[1]?.pid ?? 0
  await just('scum-throttle', String(pid), '--pause')
  process.kill(pid, 'SIGKILL')
  await expect.poll(async () => await liveProcess(pid)).toBeUndefined()
  const { stderr } = await just('throttled')
  expect(stderr).toMatch(/it has ended; released/)
  expect((await liveProcess(child))?.stopped).toBe(false)
})

test.each(['pause', 'cpulimit', 'cgroup1'])(
  'a program that is killed in the middle of %s leaves nothing held that no record tells of',
  async (means) => {
    const pid = workload(1)
    await sleep(300)
    for (let trial = 0; trial < 8; trial += 1) {
      const args = ['scum-throttle', String(pid), ...(means === 'pause' ? ['--pause'] : ['--by', means])]
      const root = new URL('../..', import.meta.url).pathname
      const loader = `${root}node_modules/tsx/dist/esm/index.mjs`
      const victim = execa(
        process.execPath,
        ['--import', loader, `${root}scripts/${args[0]}.ts`, ...args.slice(1)],
        {
          env: { XDG_STATE_HOME: state },
          reject: false,
        },
      )
      // From about when it has loaded, a little later in each trial.
      await sleep(350 + trial * 60)
      victim.kill('SIGKILL')
      await victim
      const { stdout } = await just('throttled', '--json')
      if (!stdout.includes(`"pid": ${pid}`)) {
        const members = await tree(pid)
        expect(members.filter(({ stopped }) => stopped)).toEqual([])
        for (const { pid: each } of members)
          expect(await readFile(`/proc/${each}/cgroup`, 'utf8')).not.toContain('resource-sharing-')
      } else expect((await just('scum-throttle', String(pid), '--release')).exitCode).toBe(0)
    }
    expect(await shareOfTwin(pid)).toBeGreaterThan(0.9)
  },
)

test('a limiter that is killed leaves its process running: the next run sees to it', async () => {
  const pid = workload(1)
  await sleep(300)
  if ((await just('scum-throttle', String(pid), '--by', 'cpulimit', '--percent', '10')).exitCode !== 0) return
  const limiters = [...(await liveProcesses()).values()].filter(({ command }) => command === 'cpulimit')
  for (const { parent, pid: limiter } of limiters) {
    process.kill(parent, 'SIGKILL')
    process.kill(limiter, 'SIGKILL')
  }
  await just('throttled')
  await expect.poll(async () => (await tree(pid)).filter(({ stopped }) => stopped)).toEqual([])
})

test('scum-kill asks to end, then kills; and guards what must not be touched', async () => {
  const stubborn = spawn('sh', ['-c', 'trap "" TERM; while :; do sleep 0.1; done'], {
    detached: true,
    stdio: 'ignore',
  })
  started.push(stubborn)
  const gentle = workload(0)
  const paused = workload(1)
  await sleep(300)
  await just('scum-throttle', String(paused), '--pause')
  const pids = [stubborn.pid, paused].map(String)
  expect((await just('scum-kill', ...pids)).stderr).toMatch(
    /^End \d+ \(sh\), \d+ \(sh\)\? There is no terminal/,
  )
  const { stdout, exitCode } = await just('scum-kill', ...pids, '--yes', '--grace', '1', '--json')
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout).processes.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
    'killed',
    'ended',
  ])
  expect(await liveProcess(gentle)).toBeUndefined()
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
    expect((await lab.exec('n1', ['just', 'scum-throttle', first, '--by', 'renice'], at)).exitCode).toBe(0)
    const again = `kill -9 ${first}; while kill -0 ${first} 2>/dev/null; do sleep 0.1; done; echo ${Number(first) - 1} >/proc/sys/kernel/ns_last_pid; ${start}`
    const { stdout: second } = await lab.exec('n1', ['bash', '-c', again])
    expect(second).toBe(first)
    const released = await lab.exec('n1', ['just', 'scum-throttle', first, '--release'], at)
    expect(released.stderr).toMatch(/its PID belongs to another process now: nothing was touched/)
    expect(released.exitCode).toBe(5)
    expect((await lab.exec('n1', ['ps', '-o', 'ni=,stat=', '-p', first])).stdout.trim()).toMatch(/^0 +S/)
    expect((await lab.exec('n1', ['just', 'throttled', '--json'], at)).stdout).toBe('{\n  "held": []\n}')
  } finally {
    await lab.close()
  }
})
