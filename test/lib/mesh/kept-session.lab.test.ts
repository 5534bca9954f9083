import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { runOverKept } from '../../../lib/mesh/kept-session.ts'
import { openLab, type Lab } from '../../lab/lab.ts'
import { hostLayoutOf, layoutOf } from '../../lab/layout.ts'

const INSTANCE = 'kept'
const KEPT = '/run/lab/kept'
const limits = { timeoutMs: 20_000, signal: new AbortController().signal }
// A bind mount: what listens there on n1 is reached from here.
const controlPath = join(hostLayoutOf(layoutOf(INSTANCE), 1).shared, 'kept')

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: INSTANCE, hosts: 2, tailnet: false })
  await lab.trustLan('n1')
})
afterAll(() => lab?.close())

async function sh(node: string, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.exec(node, ['bash', '-ec', script], { timeoutMs: 30_000 })
  if (exitCode !== 0) throw new Error(`${node}: ${script}: ${stderr}${stdout}`)
  return stdout.trim()
}

const check = async () => await sh('n1', `ssh -F none -o ControlPath=${KEPT} -O check n2 2>&1 || true`)
let keeper: string
// A connection from n1 to n2, by the ssh of Debian 13.
beforeEach(async () => {
  if (!(await check()).startsWith('Master running'))
    await sh(
      'n1',
      `rm -f ${KEPT}; ssh -o ControlMaster=yes -o ControlPath=${KEPT} -Nf ${lab.nodes[1]?.lanIp}`,
    )
  keeper = await check()
  if (!keeper.startsWith('Master running')) throw new Error(keeper)
})

const there = async (
  command: string,
  input = '',
  more: Partial<typeof limits & { maxOutput: number }> = {},
) => await runOverKept({ controlPath, command, input }, { ...limits, ...more })

const ended = { stdout: '', stderr: '', exitCode: 0, timedOut: false, missing: false, tooMuch: false }

test('a command reads its input, and what it says and how it ends comes back', async () => {
  const said = await there('cat; hostname; echo what >&2; exit 3', 'ünput\n')
  expect(said).toEqual({ ...ended, stdout: 'ünput\nn2\n', stderr: 'what\n', exitCode: 3 })
  expect(await there('kill -9 $$')).toEqual({ ...ended, exitCode: undefined })
})

test('more than goes in one window comes whole, either way', async () => {
  const input = 'one line of many\n'.repeat(400_000)
  const digest = createHash('sha256').update(input).digest('hex')
  const said = await there('tee /dev/stderr | sha256sum', input)
  expect(said?.stdout).toBe(`${digest}  -\n`)
  expect(
    createHash('sha256')
      .update(said?.stderr ?? '')
      .digest('hex'),
  ).toBe(digest)
})

test('a command that has not ended in time is left, and the connection is kept', async () => {
  const said = await there(
    'echo begun; while sleep 0.1; do echo 2>/dev/null || exit; done >/dev/stderr',
    '',
    {
      timeoutMs: 500,
    },
  )
  expect(said).toMatchObject({ stdout: 'begun\n', exitCode: undefined, timedOut: true })
  await expect.poll(async () => await sh('n2', 'pgrep -f "echo begu[n]" || true')).toBe('')
  expect(await check()).toBe(keeper)
})

test('who prints without end is ended', async () => {
  const said = await there('yes', '', { maxOutput: 100_000 })
  expect(said).toMatchObject({ exitCode: undefined, tooMuch: true })
  expect(said?.stdout.length).toBeLessThanOrEqual(100_000)
  await expect.poll(async () => await sh('n2', 'pgrep -x yes || true')).toBe('')
  expect(await check()).toBe(keeper)
})

test('a stop at any moment of its opening leaves the connection to others', async () => {
  for (let ms = 0; ms < 40; ms += 1) {
    const stop = new AbortController()
    const asked = there('echo', '', { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('stopped')), ms / 4)
    // The quickest are done by then.
    await asked.catch((error: unknown) => expect(error).toEqual(new Error('stopped')))
  }
  expect(await check()).toBe(keeper)
  expect(await there('echo on')).toMatchObject({ stdout: 'on\n' })
})

// MaxSessions of sshd_config(5), where nobody has set it.
const MOST_SESSIONS = 10

test('as many at once as the machine lets in have each their own answer', async () => {
  const all = Array.from(
    { length: MOST_SESSIONS },
    async (_, index) => await there(`sleep 0.5; echo ${index}`),
  )
  const heard = (await Promise.all(all)).map((said) => said?.stdout)
  expect(heard).toEqual(all.map((_, index) => `${index}\n`))
  expect(await check()).toBe(keeper)
})

test('one more than that ends them all, and none has an answer that is not its own', async () => {
  const all = Array.from(
    { length: 3 * MOST_SESSIONS },
    async (_, index) => await there(`sleep 0.5; echo ${index}`),
  )
  for (const [index, said] of (await Promise.all(all)).entries())
    if (said?.exitCode === 0) expect(said.stdout).toBe(`${index}\n`)
    else expect(said?.exitCode ?? 255).toBe(255)
})

test('more runs of a recipe at once than the machine lets in all have their answer', async () => {
  const address = lab.nodes[1]?.lanIp ?? ''
  const argv = [
    'node',
    'cli/start.mjs',
    'scripts/scum-view.ts',
    '--mesh',
    '--hosts',
    address,
    '--window',
    '1000',
    '--json',
  ]
  const run = async () => await lab.exec('n1', argv, { cwd: '/srv/resource-sharing', timeoutMs: 100_000 })
  await sh('n2', 'while :; do :; done >/dev/null 2>&1 & disown')
  const measured = z.object({
    nodes: z.array(z.object({ name: z.string(), processes: z.array(z.unknown()).optional() })),
  })
  const isThere = (node: z.infer<typeof measured>['nodes'][number]) =>
    node.name === address && (node.processes ?? []).length > 0
  // The second time there is a connection that has been kept.
  for (const time of ['first', 'second']) {
    const all = await Promise.all(Array.from({ length: 2 * MOST_SESSIONS }, run))
    const wrong = all.filter(({ stdout }) => !measured.parse(JSON.parse(stdout)).nodes.some(isThere))
    expect([time, wrong]).toEqual([time, []])
  }
})

test('a connection for work that leads nowhere any more is found by the measuring before it', async () => {
  const address = lab.nodes[1]?.lanIp ?? ''
  const recipe = async (script: string, ...args: string[]) => {
    const argv = ['node', 'cli/start.mjs', `scripts/${script}.ts`, '--hosts', address, ...args]
    const cwd = '/srv/resource-sharing'
    return await lab.exec('n1', argv, { cwd, timeoutMs: 100_000 })
  }
  const masters = async () =>
    (await sh('n1', 'pgrep -f "^ssh: /tmp/resource-sharing-0/" || true')).split('\n')
  const here = async () => await recipe('offload', '--target', address, 'hostname')
  await Promise.all((await masters()).map(async (pid) => await sh('n1', `kill -9 ${pid} || true`)))
  expect(await recipe('mesh-balance', '--strict')).toMatchObject({ exitCode: 0 })
  expect(await here()).toMatchObject({ exitCode: 0, stdout: 'n2' })
  // One for measuring, one for work.
  const [first, second, ...more] = await masters()
  expect([second !== undefined, more]).toEqual([true, []])
  for (const pid of [first, second]) await sh('n1', `kill -STOP ${pid}`)
  expect(await recipe('mesh-balance', '--strict')).toMatchObject({ exitCode: 0 })
  const began = performance.now()
  expect(await here()).toMatchObject({ exitCode: 0, stdout: 'n2' })
  expect(performance.now() - began).toBeLessThan(30_000)
  for (const pid of [first, second]) await sh('n1', `kill -9 ${pid} || true`)
})

test('where the connection breaks in the middle it says so, and where none is kept nothing has begun', async () => {
  const asked = there('echo begun; sleep 60')
  await sleep(500)
  await sh('n1', `ssh -F none -o ControlPath=${KEPT} -O exit n2 2>&1`)
  expect(await asked).toMatchObject({ stdout: 'begun\n', exitCode: 255, timedOut: false })
  expect(await there('echo')).toBeUndefined()
})

test.each([
  ['goes at once', ''],
  ['knows no proxy mode', '0000000c800000030000000000000000'],
  ['says more than it may', '7fffffff'],
  ['says less than it should', '000000028000'],
])('nothing has begun where who listens %s', async (_, hex) => {
  const path = join(hostLayoutOf(layoutOf(INSTANCE), 1).shared, 'other')
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (hex === '') socket.destroy()
    else socket.write(Buffer.from(hex, 'hex'))
  })
  await once(server.listen(path), 'listening')
  onTestFinished(() => void server.close())
  expect(await runOverKept({ controlPath: path, command: 'echo', input: '' }, limits)).toBeUndefined()
})

test('who listens and says nothing is waited for until the time is up', async () => {
  const path = join(hostLayoutOf(layoutOf(INSTANCE), 1).shared, 'silent')
  const server = createServer((socket) => void socket.on('error', () => undefined))
  await once(server.listen(path), 'listening')
  onTestFinished(() => void server.close())
  const said = await runOverKept(
    { controlPath: path, command: 'echo', input: '' },
    { ...limits, timeoutMs: 200 },
  )
  expect(said).toEqual({ ...ended, exitCode: undefined, timedOut: true })
})
