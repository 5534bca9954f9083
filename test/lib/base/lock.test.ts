import { execa } from 'execa'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeLock } from '../../../lib/base/lock.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
let folder = ''
let file = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  file = join(folder, 'lock')
})
afterEach(() => rm(folder, { recursive: true }))

/** Another process that takes the lock and keeps it until it is killed. */
function otherHolder() {
  const code = `import { takeLock } from '${pathToFileURL(`${ROOT}lib/base/lock.ts`).href}'
    process.stdout.write((await takeLock(process.env.FILE)) ? 'taken' : 'busy'); setInterval(() => {}, 1000)`
  const loader = `${ROOT}node_modules/tsx/dist/esm/index.mjs`
  return execa(process.execPath, ['--import', loader, '--input-type=module', '--eval', code], {
    env: { FILE: file },
    reject: false,
    timeout: 30_000,
  })
}

test('one has it at a time, and it is free after that', async () => {
  const lock = await takeLock(file)
  expect(lock).toBeDefined()
  expect(await takeLock(file)).toBeUndefined()
  await lock?.release()
  expect(await readdir(folder)).toEqual([])
  expect(await takeLock(file)).toBeDefined()
})

test('of many that want it at once one gets it, also when a dead one has left it', async () => {
  for (let turn = 0; turn < 200; turn += 1) {
    const left = turn % 4 === 0 ? '' : `999999999 ${turn} ab\n`
    await writeFile(file, left)
    const locks = await Promise.all(Array.from({ length: 12 }, () => takeLock(file)))
    expect(locks.filter((lock) => lock !== undefined)).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['lock'])
    await rm(file)
  }
})

test('another process keeps it, and its death by kill -9 frees it', async () => {
  const holder = otherHolder()
  const [said] = await once(holder.stdout, 'data')
  expect(String(said)).toBe('taken')
  expect(await takeLock(file)).toBeUndefined()
  holder.kill('SIGKILL')
  await holder
  expect(await takeLock(file)).toBeDefined()
})

test('a process that has got the PID of the one that took it does not hold it', async () => {
  await takeLock(file)
  const taken = await readFile(file, 'utf8')
  await writeFile(file, taken.replace(/ \S+/, ' 1'))
  expect(await takeLock(file)).toBeDefined()
})

test.skipIf(process.platform !== 'linux')(
  'a process that has ended and was not reaped does not hold it',
  async () => {
    const parent = execa('sh', ['-c', 'sleep 3 & echo $!; exec sleep 60'], { reject: false })
    const [pid] = await once(parent.stdout, 'data')
    const fields = async () => (await readFile(`/proc/${Number(pid)}/stat`, 'utf8')).split(' ')
    await writeFile(file, `${Number(pid)} ${(await fields())[21]} ab\n`)
    expect(await takeLock(file)).toBeUndefined()
    await expect.poll(async () => (await fields())[2]).toBe('Z')
    expect(await takeLock(file)).toBeDefined()
    parent.kill()
    await parent
  },
)

test('whoever lost it does not release another one’s', async () => {
  const lock = await takeLock(file)
  await writeFile(file, 'somebody else’s')
  await lock?.release()
  expect(await readFile(file, 'utf8')).toBe('somebody else’s')
})
