import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  counter,
  groups,
  nodeCounter,
  REPOSITORY,
  Scene,
  type HostName,
  type Workload,
} from '../migrate/scene.ts'
import { faultsOf } from '../migrate/ticks.ts'

// Real programs move between real machines, by the recipe that people type.
let scene: Scene
beforeAll(async () => {
  scene = await Scene.open('moves')
})
afterEach(() => scene?.end())
afterAll(() => scene?.lab.close())

const nothingIsLeft = async () => await expect.poll(() => scene.leftovers()).toEqual([])

/** Without CAP_SYS_RESOURCE, as in some containers, criu may not ask for the limits of another user's process. */
async function rootMayAll(): Promise<boolean> {
  const bits = /CapBnd:\s*([0-9a-f]+)/.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${bits}`) >> 24n) & 1n) === 1n
}

/** It counts on at the target, no number lost or doubled, its memory as it was; how long it stood still, in seconds. */
async function wentOn(workload: Workload, from: HostName, to: HostName, tasks = ['0.0'], sums = ['0.sums']) {
  let stood = 0
  for (const task of tasks) {
    const source = await scene.ticks(from, workload, task)
    await scene.goesOn(to, workload, task)
    const target = await scene.ticks(to, workload, task)
    expect(faultsOf(source, target)).toEqual([])
    expect(await scene.ticks(from, workload, task)).toEqual(source)
    stood = Math.max(stood, (target[source.length]?.at ?? Infinity) - (source.at(-1)?.at ?? 0))
  }
  const moved = (await scene.ticks(from, workload, tasks[0])).at(-1)?.at ?? Infinity
  for (const file of sums) {
    const since = async () => {
      const lines = (await scene.sh(to, `cat ${workload.folder}/${file}`)).trim().split('\n')
      const all = lines.map((line) => line.split(' '))
      return {
        later: all.filter(([at]) => Number(at) > moved).length,
        sums: new Set(all.map(([, sum]) => sum)).size,
      }
    }
    await expect.poll(async () => (await since()).later, { timeout: 30_000 }).toBeGreaterThan(0)
    expect((await since()).sums).toBe(1)
  }
  return stood
}

const THREADS = ['0.0', '0.1', '0.2', '0.3']
test.each([
  {
    what: 'a program whose name reads like the end of a name',
    argv: ['env', `"COMMAND=$(printf 'a) R 1\\nb')"`, ...counter()],
    tasks: ['0.0'],
    sums: ['0.sums'],
  },
  { what: 'a Python program', argv: counter(16_000_000), tasks: ['0.0'], sums: ['0.sums'] },
  {
    what: 'a tree of three processes',
    argv: counter(4_000_000, 3),
    tasks: ['0.0', '1.0', '2.0'],
    sums: ['0.sums', '1.sums', '2.sums'],
  },
  { what: 'a program of four threads', argv: counter(1_000_000, 1, 4), tasks: THREADS, sums: ['0.sums'] },
  { what: 'a Node program', argv: nodeCounter, tasks: ['0.0'], sums: ['0.sums'] },
])(
  '$what goes on there from where it stopped, with its memory and its files, and nothing is left',
  async (each) => {
    const { argv, tasks, sums, what } = each
    const workload = await scene.counting('n1', argv)
    const before = await scene.states('n1', workload)
    const threads = await scene.sh('n1', `ls /proc/${workload.pid}/task`)
    const args = [String(workload.pid), '--target', 'n2', '--copy-files', '--json']
    expect(JSON.parse(await scene.moved('n1', args))).toMatchObject({
      outcome: 'moved',
      from: 'n1',
      to: 'n2',
      pid: workload.pid,
      tasks: before.size,
    })
    const stood = await wentOn(workload, 'n1', 'n2', tasks, sums)
    process.stdout.write(`${what}: it stood still for ${(1000 * stood).toFixed(0)} ms\n`)
    expect(await scene.present(workload)).toEqual(['n2'])
    const there = await scene.states('n2', workload)
    expect([...there.keys()]).toEqual([...before.keys()])
    expect([...there.values()]).not.toContain('T')
    expect(await scene.sh('n2', `ls /proc/${workload.pid}/task`)).toBe(threads)
    await nothingIsLeft()
  },
)

test.each(['sh', 'bash'])(
  'a loop of %s moves whole, with what it waits for just then, and misses no turn',
  async (shell) => {
    const workload = await scene.start('n1', [shell, `${REPOSITORY}/test/workloads/loop.sh`])
    await scene.goesOn('n1', workload, 'out')
    await scene.moved('n1', [String(workload.pid), '--target', 'n2', '--copy-files'])
    const source = await scene.ticks('n1', workload, 'out')
    await scene.goesOn('n2', workload, 'out')
    expect(faultsOf(source, await scene.ticks('n2', workload, 'out'))).toEqual([])
    expect(await scene.ticks('n1', workload, 'out')).toEqual(source)
    expect(await scene.present(workload)).toEqual(['n2'])
    await nothingIsLeft()
  },
)

test("with BusyBox's flock at both ends it moves all the same, and nothing is left", async () => {
  const both = async (script: string) =>
    await Promise.all((['n1', 'n2'] as const).map(async (node) => await scene.sh(node, script)))
  await both(`ln -s ${REPOSITORY}/test/lab/in-host/busybox-flock.sh /usr/local/bin/flock`)
  const workload = await scene.counting('n1')
  await scene.moved('n1', [String(workload.pid), '--target', 'n2', '--copy-files'])
  await wentOn(workload, 'n1', 'n2')
  expect(await scene.present(workload)).toEqual(['n2'])
  await both('rm /usr/local/bin/flock')
  await nothingIsLeft()
})

test('stress-ng goes on computing on two CPUs there, and finds no error in what it has computed', async () => {
  const stress = [
    'stress-ng',
    '--cpu',
    '2',
    '--cpu-load',
    '30',
    '--verify',
    '--timeout',
    '0',
    '--log-file',
    'FOLDER/log',
  ]
  const workload = await scene.start('n1', stress)
  await expect.poll(async () => (await scene.states('n1', workload)).size).toBe(3)
  await scene.moved('n1', [String(workload.pid), '--target', 'n2', '--copy-files'])
  expect(await scene.present(workload)).toEqual(['n2'])
  const used = async () =>
    Number(
      await scene.sh('n2', `ps -eo sid=,times= | awk '$1 == ${workload.pid} { s += $2 } END { print s }'`),
    )
  const before = await used()
  await expect.poll(used, { timeout: 30_000 }).toBeGreaterThan(before + 1)
  await scene.sh('n2', `kill -INT ${workload.pid}`)
  await expect.poll(() => scene.present(workload)).toEqual([])
  expect(await scene.sh('n2', `cat ${workload.folder}/log`)).toMatch(/passed: 2: cpu \(2\)[^]*failed: 0/)
  await nothingIsLeft()
})

test('what has moved moves on, and back: the file that it left where it began is replaced by what it has become', async () => {
  const workload = await scene.counting('n1')
  const pid = String(workload.pid)
  await scene.moved('n1', [pid, '--target', 'n2', '--copy-files'])
  await scene.goesOn('n2', workload)
  const stale = await scene.ticks('n1', workload)
  await scene.moved('n2', [pid, '--target', 'n3', '--copy-files'])
  await wentOn(workload, 'n2', 'n3')
  await scene.moved('n3', [pid, '--target', 'n1', '--copy-files'])
  await wentOn(workload, 'n3', 'n1')
  expect((await scene.ticks('n1', workload)).slice(0, stale.length)).toEqual(stale)
  expect(await scene.present(workload)).toEqual(['n1'])
  await nothingIsLeft()
})

test('a file that somebody has changed where the process began is not replaced, and the process stays where it is', async () => {
  const workload = await scene.counting('n1')
  const pid = String(workload.pid)
  await scene.moved('n1', [pid, '--target', 'n2', '--copy-files'])
  await scene.sh('n1', `echo mine >>${workload.folder}/0.0`)
  const refused = await scene.move('n2', [pid, '--target', 'n1', '--copy-files'])
  expect(refused).toMatchObject({
    exitCode: 5,
    stdout: '',
    stderr: expect.stringMatching(/^n1: file-size: .*0\.0/),
  })
  await scene.goesOn('n2', workload)
  expect(await scene.sh('n1', `tail -n 1 ${workload.folder}/0.0`)).toBe('mine')
  await nothingIsLeft()
})

test('a user who may be root without a password moves a process of root, and keeps the journal', async () => {
  const workload = await scene.counting('n1')
  const args = [String(workload.pid), '--target', 'n2', '--copy-files', '--force']
  await scene.moved('n1', args, 'operator')
  await wentOn(workload, 'n1', 'n2')
  expect((await scene.just('n1', ['migrations'], 'operator')).stdout).toContain(` ${workload.pid} `)
  expect(await scene.present(workload)).toEqual(['n2'])
  await nothingIsLeft()
})

test('a user moves a process of their own, which stays theirs; where root itself may not, it runs on as before', async () => {
  const workload = await scene.counting('n1', counter(), { user: 'operator' })
  const args = [String(workload.pid), '--target', 'n2', '--copy-files']
  if (await rootMayAll()) {
    const identity = `grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs)' /proc/${workload.pid}/status`
    const before = await scene.sh('n1', identity)
    await scene.moved('n1', args, 'operator')
    await wentOn(workload, 'n1', 'n2')
    expect(await scene.sh('n2', identity)).toBe(before)
    const names = `stat -c %U /proc/${workload.pid} ${workload.folder} ${workload.folder}/0.0`
    expect(await scene.sh('n2', names)).toBe('operator\noperator\noperator')
    return await nothingIsLeft()
  }
  process.stdout.write('root of this machine lacks CAP_SYS_RESOURCE: processes of others do not move\n')
  expect(await scene.move('n1', args, 'operator')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/criu: Can't get rlimit.* runs on n1 as before$/),
  })
  await scene.goesOn('n1', workload)
  expect(await scene.present(workload)).toEqual(['n1'])
  await expect.poll(() => scene.leftovers({ undone: true })).toEqual([])
  await scene.sh('n1', 'rm -r /run/resource-sharing')
  await scene.sh('n2', 'rm -r /run/resource-sharing')
})

test('where no sudo works without a password, at either end, it is refused', async () => {
  const workload = await scene.counting('n1', counter(), { user: 'operator' })
  const args = [String(workload.pid), '--target', 'n2', '--copy-files']
  for (const node of ['n1', 'n2'] as const) {
    await scene.sh(node, 'mv /etc/sudoers.d/lab /etc/lab-sudoers')
    const refused = await scene.move('n1', args, 'operator')
    await scene.sh(node, 'mv /etc/lab-sudoers /etc/sudoers.d/lab')
    expect(refused).toMatchObject({
      exitCode: 5,
      stdout: '',
      stderr: expect.stringMatching(`^${node}: no-root: `),
    })
  }
  await scene.goesOn('n1', workload)
  await nothingIsLeft()
})

test("another user's process needs --force, and a target where that user has that number", async () => {
  await scene.sh('n1', 'useradd --uid 1234 guest')
  const workload = await scene.counting('n1', counter(), { as: 'guest' })
  const args = [String(workload.pid), '--target', 'n2', '--copy-files']
  const refusal = async (more: string[]) => {
    const { exitCode, stderr } = await scene.move('n1', [...args, ...more])
    return `${exitCode}: ${stderr}`
  }
  expect(await refusal([])).toMatch(
    /^5: PID \d+ \(python3\) belongs to another user \(uid 1234\): say --force/,
  )
  expect(await refusal(['--force'])).toMatch(
    /^5: n2: no-user: n2 has no user guest \(`useradd -u 1234 guest` there\)/,
  )
  await scene.sh('n2', 'useradd --uid 1235 guest')
  expect(await refusal(['--force'])).toMatch(/^5: n2: no-user: n2 has the user guest with uid 1235, not 1234/)
  await scene.goesOn('n1', workload)
  await nothingIsLeft()
})

test.each([
  { what: 'from a third machine', on: 'n3', target: ['--target', 'n2'] },
  { what: 'to this very machine, which has the most room', on: 'n2', target: [] },
] as const)('HOST:PID fetches a process $what', async ({ on, target }) => {
  await scene.sh('n2', 'rm -f /var/lib/resource-sharing/receiver/arrivals')
  for (const [node, load] of [
    ['n1', 4],
    ['n2', 0.1],
    ['n3', 0.5],
  ] as const)
    await scene.lab.setLoad(node, load)
  const workload = await scene.counting('n1', counter(1_000_000, 2))
  expect(
    JSON.parse(await scene.moved(on, [`n1:${workload.pid}`, '--copy-files', '--json', ...target])),
  ).toMatchObject({ outcome: 'moved', from: 'n1', to: 'n2', tasks: 2 })
  await wentOn(workload, 'n1', 'n2', ['0.0', '1.0'], ['0.sums', '1.sums'])
  expect(await scene.present(workload)).toEqual(['n2'])
  await nothingIsLeft()
})

test.each([
  { what: 'two jobs that the person has stopped stay stopped there', stops: 'jobs' },
  { what: 'a program that is stopped as a whole stays stopped there', stops: 'all' },
])('$what, nobody wakes on either end, and they can be continued by hand', async ({ stops }) => {
  const workload = await scene.counting('n1', groups)
  const { pid, folder } = workload
  await expect.poll(async () => (await scene.states('n1', workload)).size).toBe(3)
  const jobs = [...(await scene.states('n1', workload)).keys()].filter((each) => each !== pid)
  await scene.sh('n1', `kill -STOP ${[...jobs, ...(stops === 'all' ? [pid] : [])].join(' ')}`)
  await scene.moved('n1', [String(pid), '--target', 'n2', '--copy-files'])
  expect(await scene.present(workload)).toEqual(['n2'])
  const states = await scene.states('n2', workload)
  expect(jobs.map((job) => states.get(job))).toEqual(['T', 'T'])
  if (stops === 'all') expect(states.get(pid)).toBe('T')
  else await scene.goesOn('n2', workload)
  const woken = async () =>
    await Promise.all(
      (['n1', 'n2'] as const).map(
        async (node) => await scene.sh(node, `cat ${folder}/woken 2>/dev/null || :`),
      ),
    )
  expect(await woken()).toEqual(['', ''])
  await scene.sh('n2', `kill -CONT ${[...jobs, pid].join(' ')}`)
  await scene.goesOn('n2', workload)
  await expect
    .poll(async () => (await woken())[1]?.split('\n').toSorted())
    .toEqual(jobs.map((job) => `${job} SIGCONT`))
  await nothingIsLeft()
})

test('a program that ends as soon as it goes on is not said to run, and one that was stopped is said to be', async () => {
  await scene.sh(
    'n1',
    `printf '%s' 'import os, time\nhere = os.uname().nodename\nwhile os.uname().nodename == here:\n    time.sleep(0.01)' >/var/tmp/homesick.py`,
  )
  const homesick = await scene.start('n1', ['python3', '/var/tmp/homesick.py'])
  expect(await scene.moved('n1', [String(homesick.pid), '--target', 'n2', '--copy-files'])).toMatch(
    /^PID \d+ \(python3\) went on on n2, and has ended there since, as PID/,
  )
  const stopped = await scene.counting('n1')
  await scene.sh('n1', `kill -STOP ${stopped.pid}`)
  const { stdout } = await scene.move('n1', [String(stopped.pid), '--target', 'n2', '--copy-files', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'moved', state: 'stopped' })
})
