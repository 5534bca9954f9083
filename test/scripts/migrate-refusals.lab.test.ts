import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { counter, Scene, type HostName, type Workload } from '../migrate/scene.ts'
import type { Tick } from '../migrate/ticks.ts'
import { runScript } from '../run-script.ts'

// What migrate-scum does not do, as a person meets it; test/lib/work/migrate has a row for each reason.
let scene: Scene
beforeAll(async () => {
  scene = await Scene.open('refusals')
  // Of one size; what n3 has is the same as at n1.
  const write = async (node: HostName, text: string) => await scene.sh(node, `printf ${text} >/var/tmp/data`)
  await Promise.all([write('n1', 'right'), write('n2', 'wrong'), write('n3', 'right')])
})
beforeEach(async () => {
  // n2 has the most room, n3 some, this machine none.
  for (const [node, load] of [
    ['n1', 4],
    ['n2', 0.1],
    ['n3', 0.2],
  ] as const) {
    await scene.lab.setCpus(node, 2)
    await scene.lab.setLoad(node, load)
  }
})
afterEach(() => scene?.end())
afterAll(() => scene?.lab.close())

const READS = { input: '</var/tmp/data' }

/** Runs the recipe on n1 for a process that counts beside another that nobody asks for. */
async function onCounting(args: (pid: number) => string[], how = {}, node: HostName = 'n1') {
  const workload = await scene.counting('n1', counter(), how)
  const twin = await scene.counting('n1')
  const from = (await scene.ticks('n1', workload)).length
  const queuedBefore = await queuedSeconds(workload)
  const ran = await scene.just(node, args(workload.pid))
  await sleep(300)
  const stops = await stopsSince(from, workload, twin)
  const stood = stops.reduce((sum, seconds) => sum + seconds, 0)
  const queued = (await queuedSeconds(workload)) - queuedBefore
  return { ...ran, workload, stops: stood > queued ? stops : [] }
}

/** For how long it was ready to run and the machine had no CPU for it: that is no standing still. */
async function queuedSeconds({ pid }: Workload): Promise<number> {
  // Time on a CPU, time in the queue, both in nanoseconds, and turns: Documentation/scheduler/sched-stats.rst.
  const [, nanoseconds] = (await scene.sh('n1', `cat /proc/${pid}/schedstat`)).split(' ')
  return Number(nanoseconds) / 1e9
}

/** Seconds for which it stood still, and much longer than its twin at any time: the machine itself may be busy. */
async function stopsSince(from: number, workload: Workload, twin: Workload): Promise<number[]> {
  const [own, other] = await Promise.all([scene.ticks('n1', workload), scene.ticks('n1', twin)])
  const gaps = (ticks: Tick[]) => ticks.slice(1).map(({ at }, index) => at - (ticks[index]?.at ?? at))
  const usual = Math.max(0, ...gaps(other))
  return gaps(own.slice(from)).filter((seconds) => seconds > Math.max(0.1, 3 * usual))
}

const onlyLine = (line: RegExp) => ({
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^(?:${line.source})[^\\n]*$`)),
})
const migrate =
  (...args: string[]) =>
  (pid: number) => ['migrate-scum', String(pid), '--yes', '--copy-files', '--timeout', '60', ...args]

test('a file of the same size with other content: refused by name, with which it is', async () => {
  const ran = await onCounting(migrate('--target', 'n2'), READS)
  expect(ran).toMatchObject({
    exitCode: 5,
    stops: [],
    ...onlyLine(/n2: file-content: n2 has files of the same size with other content: \/var\/tmp\/data/),
  })
})

test('a pipe to a process outside its tree: refused by name, with who holds it', async () => {
  const before = 'exec 5< <(exec setsid sleep 300 </dev/null 2>/dev/null)'
  const ran = await onCounting(migrate('--target', 'n2'), { before, input: '<&5' })
  expect(ran).toMatchObject({
    exitCode: 5,
    stops: [],
    ...onlyLine(/n1: pipe-outside: PID \d+ \(python3\) has a pipe to PID \d+ \(sleep\)/),
  })
})

test.each([
  {
    what: 'a target that is not in the mesh',
    args: ['--target', 'nobody'],
    line: /--target "nobody" is not in the mesh: it has n1, /,
  },
  {
    what: 'the machine where it is',
    args: ['--target', 'n1'],
    line: /--target "n1" is where the process is/,
  },
  {
    what: 'a way that there is not',
    args: ['--via', 'pigeon'],
    line: /--via takes ssh or taildrop, not "pigeon"/,
  },
])('$what: a usage error, and the process does not stand still', async ({ args, line }) => {
  expect(await onCounting(migrate(...args))).toMatchObject({ exitCode: 2, stops: [], ...onlyLine(line) })
})

test('without a terminal and without --yes nothing is moved', async () => {
  const ran = await onCounting((pid) => ['migrate-scum', String(pid), '--target', 'n2', '--copy-files'])
  expect(ran).toMatchObject({
    exitCode: 2,
    stops: [],
    ...onlyLine(/Move PID \d+ \(python3\) to n2\? There is no terminal to ask on: say --yes/),
  })
})

test('--dry-run says what would be done, for people and for programs, and does nothing', async () => {
  const ran = await onCounting(migrate('--target', 'n2', '--dry-run'))
  expect(ran).toMatchObject({ exitCode: 0, stderr: '', stops: [] })
  const { pid, folder } = ran.workload
  expect(ran.stdout.split('\n')).toEqual([
    `PID ${pid} (python3) would move from n1 to n2 by ssh:`,
    expect.stringMatching(/^\d+(?:\.\d)? MiB of memory, about \d+\.\d s of standing still$/),
    ...[`${folder}/out`, `${folder}/0.sums`, `${folder}/0.0`].map((file) => `${file} would go along`),
    expect.stringMatching(/ends early, with EINTR/),
    expect.stringMatching(/^what it opens later, by name, is the other machine’s/),
    expect.stringMatching(/^while it stands still, the time of the day goes on/),
  ])
  const { stdout } = await scene.just('n1', migrate('--target', 'n2', '--dry-run', '--json')(pid))
  expect(JSON.parse(stdout)).toMatchObject({
    dryRun: true,
    source: { name: 'n1' },
    target: { name: 'n2' },
    process: { pid, command: 'python3', tasks: 1, rssBytes: expect.any(Number) },
    ship: [`${folder}/out`, `${folder}/0.sums`, `${folder}/0.0`],
    folders: [folder],
    changes: [expect.stringMatching(/EINTR/), expect.any(String), expect.any(String)],
    passed: [],
  })
})

test('no MINUS node: exit 3', async () => {
  await scene.lab.setLoad('n2', 1)
  await scene.lab.setLoad('n3', 1)
  expect(await onCounting(migrate())).toMatchObject({
    exitCode: 3,
    stops: [],
    ...onlyLine(/No MINUS node takes work/),
  })
})

test('the best MINUS node can not take it: the next one is chosen, and it says why not the first', async () => {
  const ran = await onCounting(migrate('--dry-run', '--json'), READS)
  expect(ran).toMatchObject({ exitCode: 0, stops: [], stderr: expect.stringMatching(/^n2: file-content: /) })
  expect(JSON.parse(ran.stdout)).toMatchObject({
    target: { name: 'n3' },
    passed: [{ name: 'n2', refusals: [{ code: 'file-content' }] }],
  })
})

test('no MINUS node can take it: exit 3, and each says why', async () => {
  await scene.sh('n3', 'printf wrong >/var/tmp/data')
  const ran = await onCounting(migrate(), READS)
  await scene.sh('n3', 'printf right >/var/tmp/data')
  expect(ran).toMatchObject({ exitCode: 3, stdout: '', stops: [] })
  expect(ran.stderr).toMatch(
    /^n2: file-content: .*\nn3: file-content: .*\nnone of the 2 MINUS machines takes PID \d+$/,
  )
})

test.each([
  { what: 'no process', pid: '4194304', line: /there is no process with PID 4194304/ },
  { what: 'the first process', pid: '1', line: /PID 1 .* is the first process of the machine/ },
  { what: 'no process of another machine', pid: 'n2:4194304', line: /n2: no-process: / },
  { what: 'the first process of another machine', pid: 'n2:1', line: /n2: first-process: / },
])('$what: exit 5', async ({ pid, line }) => {
  expect(await scene.move('n1', [pid])).toMatchObject({ exitCode: 5, ...onlyLine(line) })
})

test('the shell that it is typed into, here and by ssh, and a thread of the kernel: exit 5', async () => {
  const typed = `just --justfile /srv/resource-sharing/justfile migrate-scum $$ --yes; echo $?`
  const own = await scene.lab.exec('n1', ['bash', '-c', typed])
  expect(own).toMatchObject({
    stdout: '5',
    stderr: expect.stringMatching(/^PID \d+ .* is this program or what it was started from$/),
  })
  const sshd = await scene.sh('n2', 'pgrep -o sshd')
  expect(await scene.move('n1', [`n2:${sshd}`])).toMatchObject({
    exitCode: 5,
    ...onlyLine(/n2: own-session: PID \d+ \(sshd\)/),
  })
  // A host of the lab sees none.
  expect(await runScript('migrate-scum', ['2', '--yes'])).toMatchObject({
    exitCode: 5,
    ...onlyLine(/PID 2 .* is a thread of the kernel/),
  })
})

test.each([
  { what: 'at the target', node: 'n2', args: migrate('--target', 'n2'), on: 'n1', code: 'not-linux' },
  {
    what: 'where the process is',
    node: 'n1',
    args: (pid: number) => ['migrate-scum', `n1:${pid}`, '--target', 'n2', '--yes'],
    on: 'n3',
    code: 'not-linux',
  },
] as const)('macOS $what: exit 5', async ({ node, args, on, code }) => {
  const workload = await scene.counting('n1')
  await scene.lab.mac(node)
  const ran = await scene.just(on, args(workload.pid))
  await scene.lab.linux(node)
  expect(ran).toMatchObject({ exitCode: 5, ...onlyLine(new RegExp(`${node}: ${code}: `)) })
  await scene.goesOn('n1', workload)
})

test.each(['n1', 'n2'] as const)('no criu on %s: exit 5, with what to install', async (node) => {
  await scene.sh(node, 'mv /usr/sbin/criu /usr/sbin/hidden')
  const ran = await onCounting(migrate('--target', 'n2'))
  await scene.sh(node, 'mv /usr/sbin/hidden /usr/sbin/criu')
  expect(ran).toMatchObject({
    exitCode: 5,
    stops: [],
    ...onlyLine(new RegExp(`${node}: no-criu: .*apt install criu`)),
  })
})

test('nothing of all that has written anything on a machine', async () => {
  expect(await scene.leftovers()).toEqual([])
  for (const node of ['n1', 'n2', 'n3'] as const)
    expect(
      await scene.sh(node, 'ls -d /var/lib/resource-sharing /run/resource-sharing 2>/dev/null || :'),
    ).toBe('')
})

test('a machine that its owner has closed: not chosen, and not taken by name either', async () => {
  await scene.just('n2', ['close', 'for my own work'])
  const chosen = await onCounting(migrate('--dry-run', '--json'))
  expect(JSON.parse(chosen.stdout)).toMatchObject({ target: { name: 'n3' }, passed: [] })
  const named = await onCounting(migrate('--target', 'n2', '--quiet'))
  expect(named).toMatchObject({
    exitCode: 5,
    stops: [],
    ...onlyLine(
      /n2: it does not take the process: it is closed to work \(for my own work\): PID \d+ \(python3\) runs on n1 as before/,
    ),
  })
  await scene.sh('n2', 'rm /var/lib/resource-sharing/receiver/closed')
  await expect.poll(() => scene.leftovers({ undone: true })).toEqual([])
})

test.each(['--pause', '--by=renice'])(
  'what scum-throttle holds by %s on its machine is refused from everywhere, and stays held',
  async (by) => {
    const workload = await scene.counting('n1')
    const pid = String(workload.pid)
    expect((await scene.just('n1', ['scum-throttle', pid, by])).exitCode).toBe(0)
    const ran = await scene.move('n3', [`n1:${pid}`, '--target', 'n2', '--copy-files'])
    expect(ran).toMatchObject({
      exitCode: 5,
      ...onlyLine(
        /n1: held: PID \d+ is (?:paused|held back by renice) by scum-throttle: release it there first/,
      ),
    })
    expect((await scene.just('n1', ['throttled', '--json'])).stdout).toContain(`"pid": ${pid}`)
    expect((await scene.just('n1', ['scum-throttle', pid, '--release'])).exitCode).toBe(0)
    await scene.goesOn('n1', workload)
  },
)
