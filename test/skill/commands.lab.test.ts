import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { openLab, type Lab } from '../lab/lab.ts'
import { documentOf, filled } from './skill-folder.ts'
import { IN_LAB } from './where-commands-run.ts'

// An agent has the skill on n1, and nothing else of the program; n2 has room.
const START = ['node', '/srv/resource-sharing/cli/start.mjs']
const WORK = '/home/operator/work'
/** Starts a program without the descriptors that the lab's own shells leave open: they would keep it from moving. */
const BARE = ['python3', '-c', 'import os, sys; os.closerange(3, 256); os.execvp(sys.argv[1], sys.argv[1:])']
const done = new Set<string>()

type User = 'root' | 'operator'
let lab: Lab
let copy = ''
beforeAll(async () => {
  lab = await openLab({ instance: 'skill', hosts: 2 })
  for (const node of ['n1', 'n2']) await lab.setCpus(node, 4)
  const { stdout } = await lab.exec('n1', [...START, 'scripts/skill-install.ts', '-q', '--json'], {
    user: 'operator',
  })
  copy = String(JSON.parse(stdout).skill)
  await sh(
    'n1',
    `mkdir -p ${WORK}/photos; cd ${WORK}; printf '2\\n1\\n' >data.csv; echo report >report.pdf; echo cat >photos/cat
     printf 'all:\\n\\thostname\\n' >Makefile
     printf 'import time\\nwhile True: print(time.time(), flush=True); time.sleep(0.1)\\n' >train.py`,
  )
})
afterAll(() => lab?.close())

beforeEach(async () => {
  // n1 is ERGODIC, n2 MINUS, and what has come to it before is forgotten.
  await lab.setLoad('n1', 2)
  await lab.setLoad('n2', 0.1)
  const forget = 'rm -rf /var/lib/resource-sharing/* /home/operator/.local/state/resource-sharing/receiver*'
  for (const node of ['n1', 'n2']) await lab.exec(node, ['sh', '-c', forget])
})

/** As the agent's person. */
async function sh(node: string, script: string, user: User = 'operator'): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.exec(node, [...BARE, 'sh', '-c', script], { user })
  if (exitCode !== 0) throw new Error(`${node}: ${script}: ${stderr}${stdout}`)
  return stdout
}

/** A command of the skill's pages, in the folder where the work is. */
async function command(line: string, values: Record<string, string> = {}, user: User = 'operator') {
  expect(IN_LAB).toContain(line)
  done.add(line)
  const argv = [...BARE, 'sh', '-c', filled(line, copy, values)]
  const ran = await lab.exec('n1', argv, { user, cwd: WORK, timeoutMs: 120_000 })
  return { ...ran, told: `${ran.stderr}\n${ran.stdout}` }
}

/** The same where it is well, and prints a document. */
async function told(line: string, values: Record<string, string> = {}, user: User = 'operator') {
  const ran = await command(line, values, user)
  expect(ran.exitCode, ran.told).toBe(0)
  return documentOf(line, ran.stdout)
}

/** A process that waits. */
async function sleeping(node: string, user: User): Promise<string> {
  return await sh(node, 'setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!', user)
}

test('another machine’s processes are seen, and the machine with the most room is named', async () => {
  expect(await told('scripts/rs scum-view --host NAME --json', { NAME: 'n2' })).toMatchObject({
    nodes: [{ name: 'n2', trit: -1 }],
  })
  expect((await command('scripts/rs find-minus | head -1 | cut -d: -f1')).stdout).toBe('n2')
})

test('commands run there now, with their files', async () => {
  expect((await command('scripts/rs offload -q hostname')).stdout).toBe('n2')
  expect((await command('scripts/rs offload -q --target NAME uname -sr', { NAME: 'n2' })).stdout).toMatch(
    /^Linux /,
  )
  const sorted = await command(
    "scripts/rs offload -q --send data.csv --return out.csv sh -c 'sort data.csv >out.csv'",
  )
  expect(sorted).toMatchObject({ exitCode: 0, stdout: '' })
  expect(await sh('n1', `cat ${WORK}/out.csv`)).toBe('1\n2')
})

test('a whole folder goes along to a make there, or waits for room', async () => {
  const whole = await command('scripts/rs offload -q --send . make')
  expect(whole, whole.told).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^n2$/m) })
  // make finds no Makefile there: its own exit status is what comes back.
  expect(await command('scripts/rs offload -q --wait make -j8')).toMatchObject({ exitCode: 2 })
})

test('a job is started there by hand, or by rebalance, and its output is read', async () => {
  const id = await sh('n1', `cd ${WORK} && '${copy}/scripts/rs' enqueue -q hostname`)
  expect(await told('scripts/rs jobs start ID --json', { ID: id })).toMatchObject({ node: 'n2' })
  await expect
    .poll(async () => (await command('scripts/rs jobs log ID', { ID: id })).stdout, { interval: 500 })
    .toBe('n2')
  const second = await sh('n1', `cd ${WORK} && '${copy}/scripts/rs' enqueue -q true`)
  const applied = { kind: 'start', node: 'n2', job: second, outcome: 'done' }
  await lab.exec('n2', ['sh', '-c', 'rm -rf /var/lib/resource-sharing/*'])
  expect(await told('scripts/rs rebalance --apply --yes --json')).toMatchObject({
    applied: [expect.objectContaining(applied)],
  })
})

// As root: in some containers criu may not freeze what is another user's.
test('a program that was started as the page says moves, and goes on there', async () => {
  expect(await told('scripts/rs doctor NAME --json', { NAME: 'n2' })).toMatchObject({ fine: true })
  await command('setsid python3 train.py </dev/null >train.log 2>&1 &', {}, 'root')
  const pid = await sh('n1', "pgrep -xf 'python3 train.py'")
  const values = { PID: pid, NAME: 'n2' }
  const refused = await command('scripts/rs migrate-scum PID --dry-run --json', values, 'root')
  expect(refused, refused.told).toMatchObject({ exitCode: 3, stdout: '' })
  expect(refused.stderr).toContain('--copy-files')
  const dry = 'scripts/rs migrate-scum PID --target NAME --copy-files --dry-run --json'
  expect(await told(dry, values, 'root')).toMatchObject({
    target: { name: 'n2' },
    process: { pid: Number(pid) },
  })
  const real = 'scripts/rs migrate-scum PID --target NAME --copy-files --yes --json'
  const moved = z
    .object({ id: z.string() })
    .loose()
    .parse(await told(real, values, 'root'))
  expect(moved).toMatchObject({ outcome: 'moved', to: 'n2', state: 'running' })
  expect(await told('scripts/rs migrations ID --json', { ID: moved.id }, 'root')).toBeDefined()
  const lines = async () => Number(await sh('n2', `wc -l <${WORK}/train.log`))
  const before = await lines()
  await expect.poll(lines).toBeGreaterThan(before)
  await sh('n2', `kill ${pid}`, 'root')
})

test('a process of another machine is looked at from here', async () => {
  await lab.setLoad('n1', 0.1)
  const pid = await sleeping('n2', 'operator')
  const plan = await told('scripts/rs migrate-scum HOST:PID --dry-run --json', { HOST: 'n2', PID: pid })
  expect(plan).toMatchObject({ dryRun: true, source: { name: 'n2' }, target: { name: 'n1' } })
  await sh('n2', `kill ${pid}`)
})

// As root: a user who is not may have no better means than renice, which root alone can undo.
test('a process is slowed down, stopped, and let go', async () => {
  const pid = await sleeping('n1', 'root')
  for (const line of [
    'scripts/rs scum-throttle PID --percent 50 --json',
    'scripts/rs scum-throttle PID --release --json',
    'scripts/rs scum-throttle PID --pause --json',
    'scripts/rs scum-throttle PID --release --json',
  ])
    expect(await told(line, { PID: pid }, 'root')).toBeDefined()
  await sh('n1', `kill ${pid}`, 'root')
})

test('a machine is closed, with a reason of several words, and opened', async () => {
  expect(await told('scripts/rs close backup runs until noon --json')).toEqual({
    closed: true,
    reason: 'backup runs until noon',
    for: 'everybody',
  })
  expect(await told('scripts/rs open --json')).toEqual({ closed: false, for: 'everybody' })
})

test('files get there by each way, and come from there', async () => {
  const { process: receiving } = await lab.spawn('n2', [...START, 'scripts/receive.ts', '--dir', 'in'], {
    user: 'operator',
  })
  await expect.poll(async () => await sh('n2', 'ss -Hltn "sport = :53317" | wc -l')).toBe('2')
  for (const [line, way] of [
    ['scripts/rs share-to-idle report.pdf --json', 'localsend'],
    ['scripts/rs share-to-idle report.pdf photos --target NAME --json', 'localsend'],
    ['scripts/rs share-to-idle report.pdf --via auto --json', 'localsend'],
    ['scripts/rs share-to-idle report.pdf --target NAME --via ssh --json', 'ssh'],
  ] as const)
    expect(await told(line, { NAME: 'n2' })).toMatchObject({ target: 'n2', via: way })
  receiving.kill('SIGTERM')
  await receiving.catch(() => {})
  const taken = command('scripts/rs receive --once --dir inbox --timeout 300 --json')
  await sh('n2', 'echo back >back.txt')
  await expect.poll(async () => await sh('n1', 'ss -Hltn "sport = :53317" | wc -l')).toBe('2')
  const sent = await lab.exec('n2', [...START, 'scripts/share-to-idle.ts', 'back.txt', '--target', 'n1'], {
    user: 'operator',
  })
  expect(sent.exitCode, sent.stderr).toBe(0)
  const { exitCode, stdout } = await taken
  expect(exitCode).toBe(0)
  const events = stdout.split('\n').map((line) => JSON.parse(line).event)
  expect(events).toEqual(expect.arrayContaining(['offered', 'stored', 'over']))
  expect(await sh('n1', `cat ${WORK}/inbox/back.txt`)).toBe('back')
})

test('no command of the pages was left out', () => {
  expect(done).toEqual(new Set(IN_LAB))
})
