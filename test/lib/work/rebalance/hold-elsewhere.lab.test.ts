import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { messageOf } from '../../../../lib/base/text.ts'
import { Connections } from '../../../../lib/mesh/connections.ts'
import { bootId, liveProcess, liveProcesses, treeOf } from '../../../../lib/machine/live-processes.ts'
import { holdThere, releaseThere } from '../../../../lib/work/rebalance/hold-elsewhere.ts'
import { readRecords } from '../../../../lib/machine/throttle/record.ts'
import { hold, release, repair, throttleMeans } from '../../../../lib/machine/throttle/throttle.ts'

// The other machine is this one: its scripts run here without ssh. The state folder is the test's own.
const HERE = { name: 'here' }
const LIMITS = { timeoutMs: 20_000, signal: new AbortController().signal }
const reach = { connections: await Connections.open(), connectMs: 1000 }
const earlier = process.env.XDG_STATE_HOME
let state = ''
const started: ChildProcess[] = []
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'rs-test-'))
  process.env.XDG_STATE_HOME = state
})
afterEach(async () => {
  for (const { pid } of started.splice(0))
    if (pid !== undefined) await execa({ reject: false })`kill -KILL -- -${pid}`
})
afterAll(async () => {
  if (earlier === undefined) delete process.env.XDG_STATE_HOME
  else process.env.XDG_STATE_HOME = earlier
  await rm(state, { recursive: true })
})

/** A shell and a child of it that sleep, as what is to be held. */
async function target() {
  const child = spawn('sh', ['-c', 'sleep 600 & sleep 600; wait'], { detached: true, stdio: 'ignore' })
  started.push(child)
  await expect.poll(async () => (await treeAt(child.pid ?? 0)).length).toBe(3)
  const process = await liveProcess(child.pid ?? 0)
  if (!process) throw new Error('it is gone')
  return { ...process, boot: await bootId(), cpu: 1.5 }
}

async function treeAt(pid: number) {
  const all = await liveProcesses()
  const root = all.get(pid)
  return root ? treeOf(all, root) : []
}

const priorities = async (pid: number) => (await treeAt(pid)).map((each) => getPriority(each.pid))
const groupsOf = async (pid: number) =>
  await Promise.all(
    (await treeAt(pid)).map(async (each) => await readFile(`/proc/${each.pid}/cgroup`, 'utf8')),
  )

test('a process and its children are held back, scum-throttle here shows it, and they are let go as they were', async () => {
  const process = await target()
  const before = [await priorities(process.pid), await groupsOf(process.pid)]
  const held = await holdThere(HERE, process, 50, reach, LIMITS)
  const [record, ...others] = await readRecords()
  if (!record) throw new Error('no record')
  expect(others).toEqual([])
  expect(record).toMatchObject({ pid: process.pid, command: 'sh', state: 'held', cpu: 1.5 })
  expect(held).toEqual({ state: 'done', means: record.means })
  const during = [await priorities(process.pid), await groupsOf(process.pid)]
  expect(during).not.toEqual(before)
  expect(await repair()).toEqual([])
  expect(await releaseThere(HERE, record, reach, LIMITS)).toEqual({ state: 'done', means: record.means })
  expect([await priorities(process.pid), await groupsOf(process.pid)]).toEqual(before)
  expect(await readdir(join(state, 'resource-sharing', 'held'))).toEqual(['.lock'])
})

test('of many that hold it at the same time one does, and what scum-throttle holds is held already', async () => {
  const process = await target()
  const all = await Promise.all(
    [1, 2, 3, 4].map(async () => await holdThere(HERE, process, 50, reach, LIMITS)),
  )
  expect(all.map(({ state: found }) => found).toSorted()).toEqual(['done', 'held', 'held', 'held'])
  expect(await readRecords()).toHaveLength(1)
  await release(process.pid)
  await hold(process.pid, ['pause'], 50, { force: false, signal: LIMITS.signal })
  expect(await holdThere(HERE, process, 50, reach, LIMITS)).toEqual({ state: 'held' })
  await release(process.pid)
})

test('what was held from elsewhere is released by scum-throttle --release', async () => {
  const process = await target()
  const before = [await priorities(process.pid), await groupsOf(process.pid)]
  await holdThere(HERE, process, 50, reach, LIMITS)
  expect((await release(process.pid)).map(({ outcome }) => outcome)).toEqual(['released'])
  expect([await priorities(process.pid), await groupsOf(process.pid)]).toEqual(before)
})

const UNDONE = throttleMeans().filter(
  (means) => means === 'cgroup1' || means === 'cgroup2' || means === 'renice',
)

test.for([...UNDONE, 'pause' as const])(
  'what scum-throttle holds by %s is released from elsewhere',
  async (means, { skip }) => {
    const process = await target()
    const before = [await priorities(process.pid), await groupsOf(process.pid)]
    const held = await hold(process.pid, [means], 50, { force: false, signal: LIMITS.signal }).catch(
      messageOf,
    )
    if (typeof held === 'string') {
      expect(held).toMatch(/can't be held: no cgroup v/)
      expect(await readRecords()).toEqual([])
    }
    const { record } = typeof held === 'string' ? skip(held) : held
    if (means === 'pause') expect((await treeAt(process.pid)).every(({ stopped }) => stopped)).toBe(true)
    expect(await releaseThere(HERE, record, reach, LIMITS)).toMatchObject({ state: 'done' })
    expect((await treeAt(process.pid)).some(({ stopped }) => stopped)).toBe(false)
    expect([await priorities(process.pid), await groupsOf(process.pid)]).toEqual(before)
    expect(await readRecords()).toEqual([])
  },
)

test('one that the person had stopped stays stopped', async () => {
  const process = await target()
  const [, , last] = await treeAt(process.pid)
  await execa`kill -STOP ${last?.pid ?? 0}`
  await expect.poll(async () => (await treeAt(process.pid)).at(-1)?.stopped).toBe(true)
  const { record } = await hold(process.pid, ['pause'], 50, { force: false, signal: LIMITS.signal })
  await releaseThere(HERE, record, reach, LIMITS)
  expect((await treeAt(process.pid)).map(({ stopped }) => stopped)).toEqual([false, false, true])
})

test('a later process with the PID is not touched, neither to be held nor to be released', async () => {
  const process = await target()
  const other = { ...process, start: String(Number(process.start) - 1) }
  const before = await groupsOf(process.pid)
  expect(await holdThere(HERE, other, 50, reach, LIMITS)).toEqual({ state: 'gone' })
  const { record } = await hold(process.pid, ['pause'], 50, { force: false, signal: LIMITS.signal })
  const stranger = { ...record, start: other.start, undo: {} }
  expect(await releaseThere(HERE, stranger, reach, LIMITS)).toEqual({ state: 'gone' })
  expect((await treeAt(process.pid)).every(({ stopped }) => stopped)).toBe(true)
  expect(await groupsOf(process.pid)).toEqual(before)
})

test('where the record can not be written, nothing is held', async () => {
  const process = await target()
  const before = [await priorities(process.pid), await groupsOf(process.pid)]
  const folder = join(state, 'resource-sharing', 'held')
  await rm(folder, { recursive: true, force: true })
  await writeFile(folder, '')
  await expect(holdThere(HERE, process, 50, reach, LIMITS)).rejects.toThrow(/can't be written/)
  await rm(folder)
  expect([await priorities(process.pid), await groupsOf(process.pid)]).toEqual(before)
})
