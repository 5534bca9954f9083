import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runAlert } from '../../../lib/monitor/alert-run.ts'
import { liveProcess } from '../../../lib/machine/live-processes.ts'
import type { Trit } from '../../../lib/model/trit.ts'

const { signal } = new AbortController()
let folder = ''
let told = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  told = join(folder, 'told')
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const load = (trit: Trit) => ({ trit, load1: 1.5, cpus: 2, ratio: 0.75 })
const said = () => readFile(told, 'utf8').catch(() => '')
const stateFiles = async () => (await readdir(join(folder, 'state/resource-sharing'))).toSorted()

async function runs(command: string, trits: readonly Trit[], forRuns = 3) {
  for (const trit of trits) await runAlert({ command, forRuns }, load(trit), { signal })
}

test('the command is told what happened, once for overload and once for recovery', async () => {
  const variables = ['EVENT', 'TRIT', 'LOAD1', 'CPUS', 'RATIO'].map((name) => `$RESOURCE_SHARING_${name}`)
  const command = `echo ${variables.join(' ')} >>${told}`
  await runs(command, [1, 1, 1, 1, 0, 1, -1, 0, 0, 0])
  expect(await said()).toBe('overloaded +1 1.5 2 0.75\nrecovered 0 1.5 2 0.75\n')
})

test('a machine that could not be measured is told of, with why', async () => {
  const command = `echo $RESOURCE_SHARING_EVENT "[$RESOURCE_SHARING_TRIT]" "$RESOURCE_SHARING_REASON" >>${told}`
  await runs(command, [1], 3)
  for (const reason of ['first', 'it did not answer in time'])
    await runAlert({ command, forRuns: 3 }, { reason }, { signal })
  await runs(command, [0, 0, 0], 3)
  expect(await said()).toBe('unmeasured [] it did not answer in time\nrecovered [0] \n')
})

test('two commands count apart, and only this user can read what is kept', async () => {
  await runs(`echo a >>${told}`, [1, 1])
  await runs(`echo b >>${told}`, [1, 1, 1])
  expect(await said()).toBe('b\n')
  await runs(`echo a >>${told}`, [1])
  expect(await said()).toBe('b\na\n')
  const state = join(folder, 'state/resource-sharing')
  expect((await stat(state)).mode & 0o777).toBe(0o700)
  expect(await stateFiles()).toEqual([
    expect.stringMatching(/^alert-\w{16}\.json$/),
    expect.stringMatching(/^alert-/),
  ])
  for (const name of await stateFiles()) expect((await stat(join(state, name))).mode & 0o777).toBe(0o600)
})

test('a command that fails is run again in the next run, and its last words are told', async () => {
  const command = `echo x >>${told}; echo first >&2; echo no mail today >&2; test -e ${folder}/works`
  await expect(runs(command, [1], 1)).rejects.toThrow(
    /^--alert "echo x .* failed with status 1: no mail today; the next run tries again$/,
  )
  await writeFile(join(folder, 'works'), '')
  await runs(command, [1, 1, 1], 1)
  expect(await said()).toBe('x\nx\n')
})

test('a command that hangs is killed with all that it has started, and tried again', async () => {
  const command = `sleep 300 & echo $! >${told}; wait`
  const ran = runAlert({ command, forRuns: 1 }, load(1), { signal, timeoutMs: 500 })
  await expect(ran).rejects.toThrow(/ took more than 0\.5 s; the next run tries again$/)
  const pid = Number(await said())
  expect(pid).toBeGreaterThan(0)
  await expect.poll(() => liveProcess(pid)).toBeUndefined()
  await expect(runAlert({ command, forRuns: 1 }, load(1), { signal, timeoutMs: 500 })).rejects.toThrow(
    /tries again$/,
  )
})

test.each(['', '{', 'null', '{"told":"x","runs":1}', '{"told":"overloaded","runs":-1}', '\0'])(
  'a state file that holds %j begins afresh',
  async (text) => {
    const command = `echo x >>${told}`
    await runs(command, [1])
    const [name = ''] = await stateFiles()
    await writeFile(join(folder, 'state/resource-sharing', name), text)
    await runs(command, [1, 1])
    expect(await said()).toBe('')
    await runs(command, [1])
    expect(await said()).toBe('x\n')
  },
)

test('runs at the same time tell once', async () => {
  const command = `echo x >>${told}; sleep 0.2`
  await Promise.all(Array.from({ length: 8 }, () => runs(command, [1], 1)))
  expect(await said()).toBe('x\n')
})

test('a state folder that can’t be made is one line that names it', async () => {
  await writeFile(join(folder, 'file'), '')
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'file'))
  await expect(runs('true', [1])).rejects.toThrow(
    /^the state folder ".*file\/resource-sharing" can't be made: /,
  )
})
