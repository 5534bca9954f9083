import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openLab, type Lab } from '../lab/lab.ts'
import { rounds } from '../rounds.ts'

const ROOT = '/srv/resource-sharing'
const HOSTS = ['n1', 'n2', 'n3'] as const
type Name = (typeof HOSTS)[number]
/** How often a broker is killed. */
const ROUNDS = rounds(3)

const Action = z.object({
  kind: z.enum(['migrate', 'throttle', 'wake', 'start', 'none']),
  node: z.string(),
  to: z.string().optional(),
  pid: z.number().optional(),
  job: z.string().optional(),
  reason: z.string(),
  outcome: z.string().optional(),
  detail: z.string().optional(),
})
const Answer = z.object({
  sum: z.number(),
  invariantHolds: z.boolean(),
  rule: z.number(),
  actions: z.array(Action),
  predicted: z.object({ sum: z.number() }),
  passed: z.array(z.object({ pid: z.number(), reason: z.string() })),
  applied: z.array(Action).optional(),
})
const Mesh = z.object({ nodes: z.array(z.object({ name: z.string(), trit: z.number() })) })

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'reb', hosts: 3, tailnet: false })
  await Promise.all(HOSTS.map(async (name) => await lab.trustLan(name)))
})
afterAll(() => lab?.close())

// n1 has one CPU and may be PLUS; n2 and n3 have many and nothing to do. A process is judged by what it would use with
// room: with six tasks for each CPU a tenth of one is enough, so that other work on this machine makes no difference, and the
// programs need not use more than a quarter.
beforeEach(async () => await loads({ n1: 6, n2: 0, n3: 0 }, { n1: 1, n2: 16, n3: 16 }))
afterEach(async () => {
  await everywhere(
    'pkill -KILL tmux; pkill -KILL -f "terminals/.*/terminal[.]py|stress-n[g]|spin[.]py|create_serve[r]|migrate-recover[.]ts"; rm -rf /root/.local/state/resource-sharing',
  )
  await everywhere('rm -rf /root/spin.py /var/lib/resource-sharing /run/resource-sharing')
})

async function loads(load: Record<Name, number>, cpus: Partial<Record<Name, number>> = {}): Promise<void> {
  for (const name of HOSTS) {
    const count = cpus[name]
    if (count !== undefined) await lab.setCpus(name, count)
    await lab.setLoad(name, load[name])
  }
}

async function sh(name: Name, script: string): Promise<string> {
  const { stdout } = await lab.exec(name, ['sh', '-c', script], { timeoutMs: 120_000 })
  return stdout
}
async function everywhere(script: string): Promise<string[]> {
  return await Promise.all(HOSTS.map(async (name) => await sh(name, script)))
}

function argv(script: string, args: readonly string[]): string[] {
  return ['node', `${ROOT}/cli/start.mjs`, `scripts/${script}.ts`, ...args]
}
function others(name: Name): string {
  return HOSTS.filter((each) => each !== name)
    .map((each) => `${each}.lan`)
    .join(',')
}
async function run(name: Name, script: string, ...args: string[]) {
  return await lab.exec(name, argv(script, args), { timeoutMs: 120_000 })
}
async function rebalance(name: Name, ...args: string[]) {
  return await run(name, 'rebalance', '--hosts', others(name), '--timeout', '60', ...args)
}
/** The plan, or with `--apply` what was done too; it must have gone well. */
async function planned(name: Name, ...args: string[]) {
  const { stdout, stderr, exitCode } = await rebalance(name, '--json', ...args)
  if (exitCode !== 0) throw new Error(`rebalance: ${exitCode} ${stdout} ${stderr}`)
  return Answer.parse(JSON.parse(stdout))
}
const apply = async (name: Name) => await planned(name, '--apply', '--yes')

/** Starts programs as a person would who wants them to go on; their PIDs. */
async function start(name: Name, ...commands: string[]): Promise<number[]> {
  const bare = 'import os,sys; os.closerange(3,256); os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])'
  const lines = commands.map(
    (command) => `python3 -c '${bare}' ${command} </dev/null >/dev/null 2>&1 & echo $!`,
  )
  const pids = await sh(name, `cd /root; ${lines.join('\n')}`)
  return pids.split('\n').map(Number)
}
/** Programs that use a part of a CPU, in percent. */
const stress = async (name: Name, count: number, percent = 25) =>
  await start(
    name,
    ...Array.from({ length: count }, () => `stress-ng --cpu 1 --cpu-load ${percent} --timeout 0`),
  )
/** A small program that uses a quarter of a CPU: it is moved in no time. */
async function spinners(name: Name, count: number): Promise<number[]> {
  await everywhere(`cat >/root/spin.py <<'E'
import time
while True:
    end = time.thread_time() + 0.005
    while time.thread_time() < end:
        pass
    time.sleep(0.015)
E`)
  const pids = await start(name, ...Array.from({ length: count }, () => 'python3 /root/spin.py'))
  await expect.poll(async () => await sh(name, 'pgrep -fc "spin[.]p[y]" || :')).toBe(String(count))
  return pids
}

/** Where each of these runs, and is not stopped: the letters of all hosts where it does. */
async function whereRun(pids: readonly number[]): Promise<string[]> {
  const lists = await everywhere("ps -eo pid=,stat= | awk '$2 !~ /^[TtZX]/ { print $1 }'")
  const running = lists.map((list) => new Set(list.split('\n').map(Number)))
  return pids.map((pid) => HOSTS.filter((_, index) => running[index]?.has(pid)).join('+'))
}
const once = expect.stringMatching(/^n\d$/)

/** What arrived at a host: who had reserved it for that, and when, in seconds of its uptime. */
async function arrived(name: Name): Promise<{ owner: string; at: number }[]> {
  const lines = await sh(name, 'cat /var/lib/resource-sharing/receiver/arrivals 2>/dev/null || :')
  return lines.split('\n').flatMap((line) => {
    const [, at, owner = ''] = line.split(' ')
    return line === '' ? [] : [{ owner, at: Number(at) }]
  })
}
const arrivals = async (name: Name) => (await arrived(name)).map(({ at }) => at)

/**
 * Makes what the hosts remember of arrivals and departures so much older, as if that time had passed. Their load averages
 * follow within seconds: what a receiver waits 90 s for has long come.
 */
async function passes(seconds: number): Promise<void> {
  const file = '/var/lib/resource-sharing/receiver'
  const older = `awk -v s=${seconds} '{ $2 -= s; print }' "$each" >"$each.older" && mv "$each.older" "$each"`
  await everywhere(
    `for each in ${file}/arrivals ${file}/departures; do [ ! -e "$each" ] || { ${older}; }; done`,
  )
}

test('a plan changes nothing, tells why, and is the same from every machine that looks', async () => {
  const pids = await stress('n1', 3)
  await vi.waitUntil(async () => (await planned('n1')).actions.some(({ kind }) => kind === 'migrate'), {
    timeout: 60_000,
  })
  const [here, there] = [await planned('n1'), await planned('n3')]
  for (const plan of [here, there]) {
    expect(plan).toMatchObject({ sum: -1, invariantHolds: false, rule: 2 })
    const moves = plan.actions.filter(({ kind }) => kind === 'migrate')
    // Which of two idle machines comes first, their few own processes decide.
    const ways = moves.map(({ node, to }) => `${node?.slice(0, 2)} ${to?.slice(0, 2)}`)
    expect(ways.toSorted()).toEqual(['n1 n2', 'n1 n3'])
    expect(moves[0]?.reason).toMatch(
      /^stress-ng scores \d\.\d\d on a PLUS node: n1(?:\.lan)? goes from 6\.00 to /,
    )
    expect(pids).toContain(moves[0]?.pid)
  }
  expect(await whereRun(pids)).toEqual(['n1', 'n1', 'n1'])
  expect((await rebalance('n1')).stdout).toMatch(
    /^ACTION +WHAT +WHERE +WHY\nmigrate +PID \d+ +n1 → n[23]\.lan +stress-ng/,
  )
})

test('what has a terminal is moved only where that is allowed, and with its terminal', async () => {
  await spinners('n1', 0)
  await sh(
    'n1',
    "tmux -f /dev/null new-session -d 'bash --norc'; tmux send-keys 'python3 /root/spin.py' Enter",
  )
  await expect.poll(async () => await sh('n1', 'pgrep -fc "spin[.]p[y]" || :')).toBe('1')
  const pid = Number(await sh('n1', 'pgrep -f "spin[.]p[y]"'))
  const moves = async (...args: string[]) =>
    (await planned('n1', ...args)).actions.some((each) => each.kind === 'migrate' && each.pid === pid)
  await expect.poll(async () => await moves('--with-terminals'), { timeout: 60_000 }).toBe(true)
  expect(await moves()).toBe(false)
  await apply('n1')
  expect(await whereRun([pid])).toEqual(['n1'])
  const { applied } = await planned('n1', '--apply', '--yes', '--with-terminals')
  expect(applied).toMatchObject([{ kind: 'migrate', pid, outcome: 'done' }])
  expect(await whereRun([pid])).toEqual([expect.stringMatching(/^n[23]$/)])
  expect((await everywhere(`ps -o tty= ${pid} || :`)).join('')).toMatch(/^pts/)
})

test('where nothing is to be done it says so, and with --quiet nothing', async () => {
  await loads({ n1: 0, n2: 0, n3: 0 })
  expect((await rebalance('n1', '--apply', '--yes')).stdout).toMatch(/nothing is to be done$/)
  expect(await rebalance('n1', '--apply', '--yes', '--quiet')).toEqual({
    stdout: '',
    stderr: '',
    exitCode: 0,
  })
})

test('without a terminal it wants to hear --yes, and does nothing', async () => {
  const pids = await stress('n1', 3)
  await vi.waitUntil(async () => (await planned('n1')).actions.some(({ kind }) => kind === 'migrate'), {
    timeout: 60_000,
  })
  const { stderr, exitCode } = await rebalance('n1', '--apply', '--quiet')
  expect(stderr).toMatch(/There is no terminal to ask on: say --yes/)
  expect(exitCode).toBe(2)
  expect(await whereRun(pids)).toEqual(['n1', 'n1', 'n1'])
})

test('what can not move stays, and another goes in its place in the same run', async () => {
  // Two processes, and each of them uses more than the others: together they score most.
  const listens =
    'import os, socket, time; s = socket.create_server(("127.0.0.1", 4000)); os.fork() or os.setsid(); exec("while 1:\\n e = time.thread_time() + .006\\n while time.thread_time() < e: pass\\n time.sleep(.01)")'
  const [stuck = 0] = await start('n1', `python3 -c '${listens}'`)
  const pids = await spinners('n1', 2)
  await vi.waitUntil(async () => (await planned('n1')).passed.some(({ pid }) => pid === stuck), {
    timeout: 60_000,
  })
  const { passed, applied = [] } = await apply('n1')
  expect(passed.find(({ pid }) => pid === stuck)?.reason).toMatch(/4000|socket/)
  expect(applied.map(({ outcome }) => outcome)).toEqual(['done', 'done'])
  expect(await whereRun([stuck])).toEqual(['n1'])
  expect((await whereRun(pids)).toSorted()).toEqual(['n2', 'n3'])
})

test(
  'run again and again, as by cron, it leaves no machine overloaded and every process running once, and each machine takes one in 90 s',
  { timeout: 420_000 },
  async () => {
    // What the broker and its questions run shows too in a load average that follows within seconds; receivers have so
    // many CPUs that they stay MINUS with that and two of the programs.
    for (const name of HOSTS) await lab.setLoadFollowsWork(name, { timeConstantSeconds: 5 })
    const pids = await stress('n1', 3, 100)
    const overloaded = async () => {
      const { stdout } = await run('n2', 'mesh-balance', '--json', '--timeout', '60', '--hosts', others('n2'))
      return Mesh.parse(JSON.parse(stdout))
        .nodes.filter(({ trit }) => trit === 1)
        .map(({ name }) => name)
    }
    // By host and by who has reserved it, when it came on a clock that goes on by what passes; what is older than five
    // minutes a host forgets.
    const came = new Map<string, { name: Name; at: number }>()
    let passed = 0
    const settled = async () => {
      await apply('n2')
      for (const name of ['n2', 'n3'] as const)
        for (const { owner, at } of await arrived(name))
          came.set(`${name} ${owner}`, { name, at: at + passed })
      await sleep(10_000)
      await passes(50)
      passed += 50
      const where = await whereRun(pids)
      expect(where).toEqual([once, once, once])
      return !where.includes('n1') && (await overloaded()).length === 0
    }
    await vi.waitUntil(settled, { timeout: 360_000, interval: 1000 })
    expect(await whereRun(pids)).toEqual([once, once, once])
    expect(came.size).toBe(3)
    for (const host of ['n2', 'n3']) {
      const [first = 0, second = Infinity] = [...came.values()]
        .flatMap(({ name, at }) => (name === host ? [at] : []))
        .toSorted((a, b) => a - b)
      expect(second - first).toBeGreaterThanOrEqual(90)
    }
  },
)

test('two brokers at the same time give no machine two, and every process runs once', async () => {
  const pids = await spinners('n1', 4)
  await vi.waitUntil(async () => (await planned('n3')).actions.some(({ kind }) => kind === 'migrate'), {
    timeout: 60_000,
  })
  const both = await Promise.all([apply('n1'), apply('n3')])
  expect(await whereRun(pids)).toEqual([once, once, once, once])
  const outcomes = both.flatMap(({ applied = [] }) => applied)
  for (const { outcome } of outcomes) expect(outcome).toMatch(/^(?:done|skipped)$/)
  const came = await Promise.all([arrivals('n2'), arrivals('n3')])
  expect(outcomes.filter(({ outcome }) => outcome === 'done')).toHaveLength(came.flat().length)
  // Two plans may give the same process to different machines. Then each broker claims another one and both ask the same
  // machine for room: one of them leaves it at that, and a machine with room is left for the next run.
  expect(came.flat().length).toBeGreaterThan(0)
  await apply('n1')
  expect(await whereRun(pids)).toEqual([once, once, once, once])
  expect(await Promise.all([arrivals('n2'), arrivals('n3')])).toEqual([
    [expect.any(Number)],
    [expect.any(Number)],
  ])
})

test('of two that are started on one machine one does nothing', async () => {
  const both = await Promise.all([1, 2].map(async () => await rebalance('n1', '--apply', '--yes', '--json')))
  const busy = both.filter(({ stdout }) => stdout.includes('"busy": true'))
  expect(busy).toHaveLength(1)
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0])
})

test('what is held back where the mesh is full goes on where it has room', async () => {
  await loads({ n1: 4, n2: 2, n3: 4 }, { n2: 4, n3: 4 })
  // Its session comes before what else this machine runs: on a node that is not PLUS it is judged by what it uses.
  const first = 'echo -10 2>/dev/null >/proc/self/autogroup; exec stress-ng --cpu 2 --timeout 0'
  const [pid = 0] = await start('n2', `sh -c "${first}"`)
  const held = async () =>
    z
      .object({ held: z.array(z.object({ pid: z.number() })) })
      .parse(JSON.parse((await run('n2', 'throttled', '--json')).stdout))
      .held.map((each) => each.pid)
  await vi.waitUntil(async () => (await apply('n1')).applied?.[0]?.kind === 'throttle', { timeout: 60_000 })
  expect(await held()).toEqual([pid])
  expect((await apply('n3')).applied).toBeUndefined()
  await loads({ n1: 0, n2: 0, n3: 0 })
  const { applied = [] } = await apply('n1')
  expect(applied).toMatchObject([{ kind: 'wake', node: 'n2.lan', pid, outcome: 'done' }])
  expect(await held()).toEqual([])
  expect(await arrivals('n2')).toHaveLength(1)
})

test('a queued job is started where there is room, and once', async () => {
  await loads({ n1: 0, n2: 2, n3: 0 }, { n2: 4, n3: 4 })
  await run('n1', 'enqueue', 'sh', '-c', 'hostname; echo ran >>/root/ran')
  const { applied = [] } = await apply('n1')
  expect(applied).toMatchObject([{ kind: 'start', outcome: 'done' }])
  expect((await apply('n1')).applied).toBeUndefined()
  await expect.poll(async () => (await run('n1', 'jobs', '--json')).stdout).toMatch(/"state": "done"/)
  expect((await everywhere('cat /root/ran 2>/dev/null; rm -f /root/ran')).join('')).toBe('ran')
})

test(
  'killed at any moment, it loses and doubles no process, leaves no reservation, and the next run goes on',
  { timeout: 60_000 * (ROUNDS + 2) },
  async () => {
    const wrong: string[] = []
    const reset = async () => {
      await everywhere('pkill -KILL -f "spin[.]py"; rm -rf /var/lib/resource-sharing/receiver')
      const pids = await spinners('n1', 3)
      await sleep(300)
      return pids
    }
    const { seconds } = await timed(async () => {
      await reset()
      await apply('n1')
    })
    for (let round = 0; round < ROUNDS; round += 1) {
      const pids = await reset()
      const delayMs = Math.round((1000 * seconds * (round + Math.random())) / ROUNDS)
      const { process: broker } = await lab.spawn(
        'n1',
        argv('rebalance', ['--hosts', others('n1'), '--timeout', '60', '--apply', '--yes']),
      )
      await sleep(delayMs)
      broker.kill('SIGKILL')
      await broker
      const left = await Promise.all((['n2', 'n3'] as const).map(async (name) => await reservedFor(name)))
      if (left.some((leftSeconds) => leftSeconds > 60))
        wrong.push(`${delayMs} ms: reserved for ${left.join()} s`)
      const recovered = await run('n1', 'migrate-recover', '--all', '--wait', '60', '--quiet')
      if (recovered.exitCode !== 0) wrong.push(`${delayMs} ms: migrate-recover: ${recovered.stderr}`)
      const running = await whereRun(pids)
      if (!running.every((where) => /^n\d$/.test(where)))
        wrong.push(`${delayMs} ms: runs on ${running.join(', ')}`)
      const after = await Promise.all((['n2', 'n3'] as const).map(async (name) => await reservedFor(name)))
      if (after.some((leftSeconds) => leftSeconds > 0)) wrong.push(`${delayMs} ms: reserved still`)
      await everywhere('rm -rf /var/lib/resource-sharing/receiver')
      const { applied = [] } = await apply('n1')
      for (const { outcome, detail } of applied)
        if (outcome !== 'done') wrong.push(`${delayMs} ms: then ${outcome}: ${detail}`)
      const last = await whereRun(pids)
      if (!last.every((where) => /^n\d$/.test(where)))
        wrong.push(`${delayMs} ms: at last on ${last.join(', ')}`)
    }
    expect(wrong.join('\n')).toBe('')
  },
)

async function timed(work: () => Promise<unknown>): Promise<{ seconds: number }> {
  const began = performance.now()
  await work()
  return { seconds: (performance.now() - began) / 1000 }
}

/** For how many seconds a machine is reserved yet. */
async function reservedFor(name: Name): Promise<number> {
  const script =
    'read -r boot until rest </var/lib/resource-sharing/receiver/reservation && read -r now rest </proc/uptime && echo $((until - ${now%%.*}))'
  return Number(await sh(name, `{ ${script}; } 2>/dev/null || echo 0`))
}
