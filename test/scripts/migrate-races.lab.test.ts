import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { coordinate } from '../migrate/coordinate.ts'
import { counter, groups, Scene, type HostName, type Workload, REPOSITORY } from '../migrate/scene.ts'
import { faultsOf } from '../migrate/ticks.ts'

// Who comes in between, comes late, or goes away in the middle: a copy runs, and never two.
const HOSTS = ['n1', 'n2', 'n3'] as const
let scene: Scene
beforeAll(async () => {
  scene = await Scene.open('races')
  for (const node of HOSTS) await scene.lab.trustLan(node)
})
beforeEach(async () => {
  for (const [node, load] of [
    ['n1', 4],
    ['n2', 0.1],
    ['n3', 0.2],
  ] as const) {
    await scene.lab.setCpus(node, 2)
    await scene.lab.setLoad(node, load)
    await scene.sh(node, 'rm -f /var/lib/resource-sharing/receiver/arrivals')
  }
})
afterEach(() => scene?.end())
afterAll(() => scene?.lab.close())

const nothingIsLeft = async () =>
  await expect.poll(() => scene.leftovers({ undone: true }), { timeout: 30_000 }).toEqual([])

/** It counts at one place, has lost nothing, and nothing else of it is anywhere. */
async function runsOnlyOn(node: HostName, workload: Workload) {
  await expect.poll(() => scene.present(workload), { timeout: 60_000 }).toEqual([node])
  await scene.goesOn(node, workload)
  const target = node === 'n1' ? [] : await scene.ticks(node, workload)
  expect(faultsOf(await scene.ticks('n1', workload), target)).toEqual([])
  await nothingIsLeft()
}

test('of two that move one process to different machines at the same time one succeeds, and the process runs once', async () => {
  const workload = await scene.counting('n1')
  const both = await Promise.all([
    scene.move('n1', [String(workload.pid), '--target', 'n2', '--copy-files']),
    scene.move('n3', [`n1:${workload.pid}`, '--target', 'n3', '--copy-files']),
  ])
  expect(both.map(({ exitCode }) => exitCode).toSorted((one, other) => one - other)).toEqual([0, 5])
  await runsOnlyOn(both[0].exitCode === 0 ? 'n2' : 'n3', workload)
})

test('who finds a process, or a part of its tree, claimed is refused, and nothing is touched', async () => {
  const workload = await scene.counting('n1', counter(1_000_000, 2))
  const { pid, folder } = workload
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'transfer' })
  const second = await scene.move('n3', [`n1:${pid}`, '--target', 'n3', '--copy-files', '--quiet'])
  const why = `another migration (${first.id}) has it: see just migrations`
  expect(second).toMatchObject({ exitCode: 5, stdout: '', stderr: expect.stringContaining(why) })
  const child = [...(await scene.states('n1', workload)).keys()].find((each) => each !== pid) ?? 0
  const third = coordinate(scene, 'n3', { pid: child, folder }, { to: 'n3', pauseAt: 'transfer' })
  await expect(third).rejects.toThrow(why)
  expect(await first.goOn()).toMatchObject({ kind: 'moved' })
  await runsOnlyOn('n2', workload)
})

test('a target that is reserved takes no other: refused where it is named, passed over where it is not', async () => {
  const [one, other] = [await scene.counting('n1'), await scene.counting('n1')]
  const first = await coordinate(scene, 'n1', one, { pauseAt: 'transfer' })
  const args = [String(other.pid), '--copy-files']
  const named = await scene.move('n1', [...args, '--target', 'n2', '--quiet'])
  expect(named).toMatchObject({
    exitCode: 5,
    stdout: '',
    stderr: expect.stringMatching(
      `^n2: it does not take the process: it is reserved for ${first.id}, for \\d+ s more: `,
    ),
  })
  expect(JSON.parse(await scene.moved('n1', [...args, '--json']))).toMatchObject({
    outcome: 'moved',
    to: 'n3',
  })
  expect(await first.goOn()).toMatchObject({ kind: 'moved' })
  await runsOnlyOn('n3', other)
  await runsOnlyOn('n2', one)
})

const late = async (node: HostName, plan: string, ...steps: string[]) => {
  const { process: ran } = await scene.script(node, 'test/migrate/late-steps.ts', [plan, ...steps])
  return (await ran).stdout.split('\n').map((line) => JSON.parse(line))
}

test('steps that come after the abort do nothing, on either end', async () => {
  const workload = await scene.counting('n1')
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'commit' })
  await scene.sh('n1', `cp ${first.journal}/plan.json /root/plan.json`)
  await first.kill()
  await runsOnlyOn('n1', workload)
  const steps = [
    'source:dump',
    'source:kill',
    'source:claim',
    'target:restore',
    'target:continue',
    'target:reserve',
  ]
  // 3: fenced off.
  expect(await late('n1', '/root/plan.json', ...steps)).toMatchObject(
    steps.map((step) => ({ step, status: 3 })),
  )
  await runsOnlyOn('n1', workload)
})

test('a claim and a reservation that come after an abort that found nothing do nothing', async () => {
  const workload = await scene.counting('n1')
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'claim' })
  await scene.sh('n1', `cp ${first.journal}/plan.json /root/plan.json`)
  await first.kill()
  await nothingIsLeft()
  const steps = ['source:undo', 'source:claim', 'target:undo', 'target:reserve']
  expect(await late('n1', '/root/plan.json', ...steps)).toMatchObject(
    [0, 3, 0, 3].map((status, index) => ({ step: steps[index], status })),
  )
  await runsOnlyOn('n1', workload)
})

test.each(['dump', 'kill'])(
  'a %s that waits for its turn while the abort begins does nothing',
  async (step) => {
    const workload = await scene.counting('n1')
    const first = await coordinate(scene, 'n1', workload, {
      pauseAt: step === 'dump' ? 'transfer' : 'commit',
    })
    const plan = `${first.journal}/plan.json`
    const folder = `/var/lib/resource-sharing/migrations/${first.id}`
    const hold = `flock ${folder}/lock sh -c 'while [ -e /root/hold ]; do sleep 0.1; done'`
    await scene.sh('n1', `: >/root/hold; ${hold} </dev/null >/dev/null 2>&1 &`)
    const waiting = late('n1', plan, `source:${step}`)
    const programs = () => scene.sh('n1', 'ps -eo args=')
    await expect.poll(programs).toContain(`${folder}/steps.sh ${step}`)
    await sleep(1000)
    const undone = late('n1', plan, 'source:undo')
    const marks = 'ls /run/resource-sharing/undone 2>/dev/null || :'
    await expect.poll(() => scene.sh('n1', marks)).toContain(first.id)
    await sleep(1000)
    await scene.sh('n1', 'rm /root/hold')
    expect(await waiting).toMatchObject([{ status: 3 }])
    expect(await undone).toMatchObject([{ status: 0, facts: { process: 'running' } }])
    await first.kill()
    await runsOnlyOn('n1', workload)
  },
)

test('a freeze that a slow link delivers when its coordinator is dead ends with the process running', async () => {
  const workload = await scene.counting('n1')
  const first = await coordinate(scene, 'n3', workload, { pauseAt: 'transfer' })
  await scene.lab.netem('n3', 'delay 1500ms')
  void first.goOn()
  await sleep(500)
  await first.kill()
  await sleep(2000)
  await scene.lab.clearNetem('n3')
  await runsOnlyOn('n1', workload)
  expect(await scene.just('n3', ['migrations'])).toMatchObject({ exitCode: 0 })
})

test.each(['commit', 'kill'])(
  'somebody continues the process while it waits for the %s: that is the one that runs on',
  async (pauseAt) => {
    const workload = await scene.counting('n1')
    const first = await coordinate(scene, 'n1', workload, { pauseAt })
    expect(await scene.present(workload)).toEqual(['n1', 'n2'])
    expect(await scene.running(workload)).toEqual([])
    await scene.sh('n1', `kill -CONT ${workload.pid}`)
    await scene.goesOn('n1', workload)
    expect(await first.goOn()).toMatchObject({ kind: 'back', detail: expect.stringMatching(/has run/) })
    await runsOnlyOn('n1', workload)
  },
)

test('somebody continues the process and stops it again: that is noticed too', async () => {
  const workload = await scene.counting('n1')
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'kill' })
  await scene.sh('n1', `kill -CONT ${workload.pid}`)
  await scene.goesOn('n1', workload)
  await scene.sh('n1', `kill -STOP ${workload.pid}`)
  expect(await first.goOn()).toMatchObject({ kind: 'back', detail: expect.stringMatching(/has run/) })
  await runsOnlyOn('n1', workload)
})

test('a frozen tree whose root somebody kills: what is left of it goes on, and its images are kept', async () => {
  const workload = await scene.counting('n1', counter(1_000_000, 3))
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'transfer' })
  expect(await late('n1', `${first.journal}/plan.json`, 'source:dump')).toMatchObject([{ status: 0 }])
  expect(await scene.running(workload)).toEqual([])
  await scene.sh('n1', `kill -KILL ${workload.pid}`)
  await first.kill()
  await scene.goesOn('n1', workload, '1.0')
  await scene.goesOn('n1', workload, '2.0')
  await expect
    .poll(() => scene.just('n1', ['migrations']))
    .toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(`${first.id} .* gone`),
    })
  await scene.sh(
    'n1',
    `rm -r /var/lib/resource-sharing/kept/${first.id} && rmdir /var/lib/resource-sharing/kept`,
  )
  await nothingIsLeft()
})

test('a process that ends just before it is frozen has ended, and nothing is left of its move', async () => {
  const workload = await scene.counting('n1')
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'transfer' })
  await scene.sh('n1', `kill -KILL ${workload.pid}`)
  expect(await first.goOn()).toEqual({
    kind: 'gone',
    detail: `PID ${workload.pid} has ended on n1`,
    ms: expect.any(Number),
  })
  expect(await scene.present(workload)).toEqual([])
  await nothingIsLeft()
})

test('a copy that is lost with its machine before it goes on is restored again from the images there', async () => {
  const workload = await scene.counting('n1')
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'continue' })
  await scene.lab.killHost('n2')
  await scene.boot('n2', 'n1')
  expect(await scene.present(workload)).toEqual([])
  const ended = await first.goOn()
  // A machine that has just been started may be too busy to answer in time; then it is in doubt, and asked again.
  if (ended.kind !== 'moved')
    await expect
      .poll(async () => (await scene.just('n1', ['migrate-recover', first.id])).exitCode, {
        timeout: 120_000,
      })
      .toBe(0)
  await runsOnlyOn('n2', workload)
})

test('a target that goes off as it continues the copy: a person is told what they can do, and it can be done', async () => {
  const workload = await scene.counting('n1')
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'continue' })
  await first.kill(true)
  // As the step leaves it when it is cut short after its mark.
  await scene.sh(
    'n2',
    `cd /var/lib/resource-sharing/migrations/${first.id} && mv continued.ready continued && sync`,
  )
  await scene.lab.killHost('n2')
  await scene.boot('n2', 'n1')
  const told = await scene.just('n1', ['migrate-recover', first.id])
  expect(told).toMatchObject({
    exitCode: 6,
    stderr: expect.stringContaining('it may have run on, and is gone'),
  })
  const ways = /go on from them: ssh n2 (?<restore>.+); when it need not: just (?<forget>.+)$/.exec(
    told.stderr,
  )?.groups
  expect(await scene.present(workload)).toEqual([])
  await scene.sh('n2', ways?.restore ?? 'false')
  await scene.goesOn('n2', workload)
  expect(faultsOf(await scene.ticks('n1', workload), await scene.ticks('n2', workload))).toEqual([])
  expect(await scene.just('n1', ways?.forget?.split(' ') ?? [])).toMatchObject({ exitCode: 0 })
  expect(await scene.just('n1', ['migrations'])).toMatchObject({ exitCode: 0 })
})

test('a copy on a full disk ends when its move is undone', async () => {
  await scene.lab.smallDisk('n2', '/var/lib/resource-sharing', 24)
  const workload = await scene.counting('n1')
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'commit' })
  expect(await scene.present(workload)).toEqual(['n1', 'n2'])
  await scene.sh('n2', 'cat /dev/zero >/var/lib/resource-sharing/filler || :')
  await first.kill()
  await expect.poll(() => scene.present(workload), { timeout: 60_000 }).toEqual(['n1'])
  await scene.lab.removeSmallDisk('n2', '/var/lib/resource-sharing')
  await runsOnlyOn('n1', workload)
})

test('what a criu that was killed has left mounted is unmounted, and nothing of what it shows is removed', async () => {
  const workload = await scene.counting('n1')
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'commit' })
  const below = `/var/lib/resource-sharing/migrations/${first.id}/work/.criu.yard`
  await scene.sh(
    'n2',
    `mkdir -p /var/tmp/shown ${below}; touch /var/tmp/shown/file; mount --bind /var/tmp/shown ${below}`,
  )
  await first.kill()
  await runsOnlyOn('n1', workload)
  expect(await scene.sh('n2', 'cat /proc/mounts')).not.toContain(first.id)
  await scene.sh('n2', 'rm /var/tmp/shown/file && rmdir /var/tmp/shown')
})

test.each([
  { pauseAt: 'transfer', held: 'for a moment', seconds: 1, outcome: { kind: 'moved' }, node: 'n2' },
  {
    pauseAt: 'transfer',
    held: 'for longer',
    seconds: 60,
    outcome: { kind: 'back', detail: expect.stringMatching(/^n2: .*another process has the number \d+ now/) },
    node: 'n1',
  },
] as const)(
  'another process has got its number $held since it was looked whether it is free',
  async ({ pauseAt, seconds, outcome, node }) => {
    const workload = await scene.counting('n1')
    const first = await coordinate(scene, 'n1', workload, { pauseAt })
    // Another process of that machine may begin just before it.
    const hold = `until [ "$holder" = ${workload.pid} ]; do
      [ -z "$holder" ] || kill $holder
      echo ${workload.pid - 1} >/proc/sys/kernel/ns_last_pid
      sleep ${seconds} >/dev/null 2>&1 & holder=$!
    done; echo $holder`
    const holder = await scene.sh('n2', `holder=; ${hold}`)
    expect(await first.goOn()).toMatchObject(outcome)
    await scene.sh('n2', `[ "$(cat /proc/${holder}/comm)" != sleep ] || kill ${holder}`)
    await runsOnlyOn(node, workload)
  },
)

test('a process whose threads take a while to stop is waited for until each of them stands still', async () => {
  const steps = `${REPOSITORY}/lib/work/migrate/machine/common.sh`
  const slow = `python3 ${REPOSITORY}/test/workloads/slow-stop.py sh -c '. ${steps}; settle_stop "$1"' sh`
  expect(await scene.sh('n1', slow)).toBe('T T')
})

test('stopped jobs stay stopped, and asleep, when the move of their tree is undone', async () => {
  const workload = await scene.counting('n1', groups)
  const { pid, folder } = workload
  await expect.poll(async () => (await scene.states('n1', workload)).size).toBe(3)
  const jobs = [...(await scene.states('n1', workload)).keys()].filter((each) => each !== pid)
  await scene.sh('n1', `kill -STOP ${jobs.join(' ')}`)
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'commit' })
  await first.kill()
  await runsOnlyOn('n1', workload)
  const states = await scene.states('n1', workload)
  expect(jobs.map((job) => states.get(job))).toEqual(['T', 'T'])
  for (const node of ['n1', 'n2'] as const)
    expect(await scene.sh(node, `cat ${folder}/woken 2>/dev/null || :`)).toBe('')
})

test('Ctrl-C while the memory of a big process is sent: exit 130, and it runs where it was', async () => {
  const workload = await scene.counting('n1', counter(300_000_000))
  await scene.lab.netem('n1', 'delay 100ms')
  const args = [String(workload.pid), '--target', 'n2', '--copy-files', '--yes', '--json']
  const { process: moving } = await scene.script('n1', 'scripts/migrate-scum.ts', args)
  await expect.poll(() => scene.running(workload), { timeout: 60_000 }).toEqual([])
  await sleep(1000)
  expect(await scene.running(workload)).toEqual([])
  const began = performance.now()
  moving.kill('SIGINT')
  expect(await moving).toMatchObject({ exitCode: 130 })
  process.stdout.write(`Ctrl-C: ended after ${((performance.now() - began) / 1000).toFixed(1)} s\n`)
  await scene.lab.clearNetem('n1')
  await runsOnlyOn('n1', workload)
  expect(await scene.just('n1', ['migrations'])).toMatchObject({ exitCode: 0 })
})

test.each([
  { pauseAt: 'reserve', outcome: 'back', node: 'n1' },
  { pauseAt: 'transfer', outcome: 'back', node: 'n1' },
  { pauseAt: 'commit', outcome: 'back', node: 'n1' },
  { pauseAt: 'kill', outcome: 'moved', node: 'n2' },
  { pauseAt: 'continue', outcome: 'moved', node: 'n2' },
  { pauseAt: 'finish', outcome: 'moved', node: 'n2' },
] as const)(
  'coordinator and guardian are killed before $pauseAt: migrations says so, and migrate-recover settles it: $outcome',
  async ({ pauseAt, outcome, node }) => {
    const workload = await scene.counting('n1')
    const first = await coordinate(scene, 'n1', workload, { pauseAt })
    expect(await scene.just('n1', ['migrations', '--json'])).toMatchObject({ exitCode: 0 })
    await first.kill(true)
    expect(await scene.just('n1', ['migrations'])).toMatchObject({
      exitCode: 6,
      stdout: expect.stringMatching(`${first.id} +${workload.pid} .* in doubt`),
      stderr: `${first.id} is in doubt: run: just migrate-recover ${first.id}`,
    })
    const { stdout, exitCode } = await scene.just('n1', ['migrate-recover', first.id, '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ migrations: [{ id: first.id, outcome }] })
    await runsOnlyOn(node, workload)
    expect(await scene.just('n1', ['migrations'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(`${first.id} .* ${outcome}`),
    })
    expect(await scene.just('n1', ['migrate-recover', '--all'])).toMatchObject({ exitCode: 0, stdout: '' })
  },
)

/** A file beside what a counter writes, which somebody else has mapped: `write` writes to it without a trace. */
async function shared(): Promise<{ workload: Workload; file: string; write: () => Promise<void> }> {
  const workload = await scene.counting('n1')
  const file = `${workload.folder}/shared`
  const program = `import mmap,os,time
file = open("${file}", "w+b"); file.truncate(8192)
memory = mmap.mmap(file.fileno(), 8192); memory[0:5] = b"early"; open("${file}.ready", "w")
while not os.path.exists("/run/write"): time.sleep(0.01)
memory[0:5] = b"later"; os.remove("/run/write")`
  await scene.sh('n1', `setsid python3 -c '${program}' </dev/null >/dev/null 2>&1 &`)
  await scene.sh('n1', `until [ -e ${file}.ready ]; do sleep 0.05; done; rm ${file}.ready`)
  const write = async () => {
    await scene.sh('n1', ': >/run/write; while [ -e /run/write ]; do sleep 0.05; done')
  }
  return { workload, file, write }
}

test('what somebody else writes by a mapping after a file was sent, which moves none of its times, is sent too', async () => {
  const { workload, file, write } = await shared()
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'transfer' })
  await write()
  expect(await first.goOn()).toMatchObject({ kind: 'moved' })
  expect(await scene.sh('n2', `head -c 5 ${file}`)).toBe('later')
  await runsOnlyOn('n2', workload)
})

test('a file that is not at the target what it was when the process was frozen: the process runs on where it was', async () => {
  const { workload, file, write } = await shared()
  const first = await coordinate(scene, 'n1', workload, { pauseAt: 'transfer' })
  const staged = `/var/lib/resource-sharing/migrations/${first.id}/staged/files${file}`
  await scene.sh('n2', `printf x | dd of=${staged} conv=notrunc status=none`)
  expect(await first.goOn()).toMatchObject({
    kind: 'back',
    detail: expect.stringMatching(/shared is not what it was when the process was frozen/),
  })
  expect(await scene.sh('n2', `ls ${workload.folder}`)).toBe('')
  await write()
  await runsOnlyOn('n1', workload)
})
