import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { throttleMeans } from '../../lib/machine/throttle/throttle.ts'
import { rounds } from '../rounds.ts'
import { runScript } from '../run-script.ts'
import { LocalProcesses, treeOfPid as tree } from '../local-processes.ts'

// Shares of CPU are compared with those of a twin at the same time: how fast this machine is, what else it does and how
// nice the tests are makes no difference.
const local = new LocalProcesses()
const just: LocalProcesses['just'] = async (...args) => await local.just(...args)

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** How often a program is killed in the middle of each means. */
const KILLS = rounds(3)

/** Puts a session before what else this machine runs, so that it gets the CPU that it wants. */
async function first(session: number): Promise<number> {
  await writeFile(`/proc/${session}/autogroup`, '-15').catch(
    async () => await execa('renice', ['-n', '-15', '-g', String(session)]),
  )
  return session
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

/** What a tree uses, in parts of what another one uses at the same time. */
async function shareOf(pid: number, twin: number, seconds: number): Promise<number> {
  const [own, other] = await Promise.all([usage(pid, seconds), usage(twin, seconds)])
  return own / other
}

/** What a tree of one busy process uses, beside one that nobody has ever held. */
async function shareOfFreeTwin(pid: number): Promise<number> {
  const twin = local.workload(1)
  await sleep(300)
  await Promise.all([first(pid), first(twin)])
  return await shareOf(pid, twin, 3)
}

function pidOf({ pid }: { pid: number }): number {
  return pid
}

test('a process that spins is counted within one window of its start, scores 0.6 of its CPU, and is not counted after its end', async () => {
  const pid = await first(local.workload(1))
  await sleep(50)
  const [, spinner] = await tree(pid)
  const counted = async () => JSON.parse((await just('node-trit', '--json')).stdout).processes.map(pidOf)
  expect(await counted()).toContain(spinner?.pid)
  const [used, { stdout }] = await Promise.all([
    usage(pid, 3),
    just('scum-view', '--json', '--window', '2000'),
  ])
  const [suspect] = JSON.parse(stdout).nodes[0].processes.filter(
    (each: { pid: number }) => each.pid === spinner?.pid,
  )
  expect(suspect).toMatchObject({ user: 'root', command: 'sh', inScumClass: true, scumTrit: 1 })
  expect(suspect.terms.cpu / (0.006 * used)).toBeGreaterThan(0.9)
  expect(suspect.terms.cpu / (0.006 * used)).toBeLessThan(1.1)
  expect(suspect.score).toBe(suspect.terms.cpu + suspect.terms.mem + suspect.terms.runtime)
  local.kill(pid)
  expect(await counted()).not.toContain(spinner?.pid)
})

test('where sleep takes whole seconds only, the window is what has passed; where it does not wait, nothing is said', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  // OpenWrt's BusyBox is built without fractions: its sleep ends at once, with a complaint.
  const asSleep = async (script: string) =>
    await writeFile(join(folder, 'sleep'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const view = async (windowMs: number) =>
    await runScript('scum-view', ['--json', '--window', String(windowMs)], {
      PATH: `${folder}:${process.env['PATH']}`,
    })
  const pid = await first(local.workload(1))
  await sleep(50)
  const [, spinner] = await tree(pid)
  await asSleep('case $1 in *[!0-9]*) echo "sleep: invalid number" >&2; exit 1 ;; esac; exec /bin/sleep "$1"')
  const [used, whole] = await Promise.all([usage(pid, 2), view(300)])
  const seen = JSON.parse(whole.stdout).nodes[0].processes.find(
    (each: { pid: number }) => each.pid === spinner?.pid,
  )
  expect(seen.cpuPercent / used).toBeGreaterThan(0.8)
  expect(seen.cpuPercent / used).toBeLessThan(1.25)
  await asSleep('exit 0')
  const none = await view(3000)
  expect(none).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('no time passed between two looks'),
  })
  await rm(folder, { recursive: true })
})

test('2,000 processes: how long scum-view takes is printed beside ps and the window', async () => {
  const crowd = local.start('python3', [
    '-c',
    'import os,time\nfor _ in range(2000):\n  if not os.fork(): time.sleep(60); os._exit(0)\ntime.sleep(60)',
  ])
  await expect.poll(async () => (await tree(crowd)).length).toBe(2001)
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

/** Why a means is not to be had on a machine: any other reason is a defect. */
const LACKING =
  /can't be held: (?:no cgroup v2|systemd does not run here|cpulimit is not installed|no cgroup v1)/

const LIMITING = throttleMeans().filter((means) => means !== 'renice')

test.for(LIMITING)(
  '%s holds a process and its children to half a CPU, and lets them go again',
  async (means, { skip }) => {
    const pid = local.workload(1)
    const twin = local.start('python3', [`${ROOT}test/workloads/half-a-cpu.py`])
    await sleep(300)
    const answer = await just('scum-throttle', String(pid), '--percent', '50', '--by', means, '--json')
    if (answer.exitCode !== 0) {
      expect(answer.stderr).toMatch(LACKING)
      expect(await local.records()).toEqual([])
      skip(answer.stderr)
    }
    expect(JSON.parse(answer.stdout)).toMatchObject({ pid, means, percent: 50, processes: 2 })
    const limited = await shareOf(pid, twin, 5)
    expect(limited).toBeGreaterThan(0.8)
    expect(limited).toBeLessThan(1.2)
    expect((await just('scum-throttle', String(pid), '--release')).exitCode).toBe(0)
    expect(await shareOfFreeTwin(pid)).toBeGreaterThan(0.9)
    expect(await local.records()).toEqual([])
  },
)

test('a control group holds two busy children together', async ({ skip }) => {
  const pid = local.workload(2)
  const twin = local.start('python3', [`${ROOT}test/workloads/half-a-cpu.py`])
  await sleep(300)
  const { stdout, exitCode } = await just('scum-throttle', String(pid), '--percent', '50', '--json')
  expect(exitCode).toBe(0)
  const { means, processes } = JSON.parse(stdout)
  expect(processes).toBe(3)
  const share = await shareOf(pid, twin, 5)
  await just('scum-throttle', String(pid), '--release')
  if (means !== 'cgroup1' && means !== 'cgroup2') skip(`no control group can be had: ${means} was taken`)
  expect(share).toBeLessThan(1.2)
})

test.for(['pause', 'cpulimit', 'cgroup1'])(
  'a program that is killed in the middle of %s leaves nothing held that no record tells of',
  async (means, { skip }) => {
    const pid = local.workload(1)
    await sleep(300)
    const args = ['scum-throttle', String(pid), ...(means === 'pause' ? ['--pause'] : ['--by', means])]
    const whole = await runScript('scum-throttle', args.slice(1), { XDG_STATE_HOME: local.state })
    if (whole.exitCode !== 0) {
      expect(whole.stderr).toMatch(LACKING)
      skip(whole.stderr)
    }
    expect((await just('scum-throttle', String(pid), '--release')).exitCode).toBe(0)
    // From about when it has loaded, a little later in each trial, as far as a whole run takes on this machine.
    const wholeSeconds = (await just('throttled', '--json')).seconds
    for (let trial = 0; trial < KILLS; trial += 1) {
      const victim = execa(
        process.execPath,
        [`${ROOT}cli/start.mjs`, `scripts/${args[0]}.ts`, ...args.slice(1)],
        { env: { XDG_STATE_HOME: local.state }, reject: false },
      )
      await sleep(1000 * wholeSeconds * (0.7 + (0.7 * trial) / KILLS))
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
    expect(await shareOfFreeTwin(pid)).toBeGreaterThan(0.9)
  },
)
