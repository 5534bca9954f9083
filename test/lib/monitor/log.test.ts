import { execa } from 'execa'
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { appendLine } from '../../../lib/monitor/log.ts'

const ROOT = new URL('../../../', import.meta.url)
let folder = ''
let file = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  file = join(folder, 'log')
})
afterEach(() => rm(folder, { recursive: true }))

test('a line is added at the end of a file that others may read', async () => {
  await appendLine(file, 'one')
  await appendLine(file, 'two')
  expect(await readFile(file, 'utf8')).toBe('one\ntwo\n')
  expect((await stat(file)).mode & 0o777).toBe(0o644 & ~process.umask())
})

test('a line that was cut short does not take the next one with it', async () => {
  await writeFile(file, 'whole\n{"at":"20')
  await appendLine(file, 'next')
  expect(await readFile(file, 'utf8')).toBe('whole\n{"at":"20\nnext\n')
})

test('a line that another writer is just finishing is not taken for one that was cut short', async () => {
  await writeFile(file, 'half')
  await appendLine(file, 'next', async () => await appendFile(file, ' and half\n'))
  expect(await readFile(file, 'utf8')).toBe('half and half\nnext\n')
})

test('two processes that write at once leave only whole lines', async () => {
  const code = `import { appendLine } from '${new URL('lib/monitor/log.ts', ROOT).href}'
    for (let turn = 0; turn < 2000; turn += 1)
      await appendLine(process.env.FILE, JSON.stringify([process.env.NAME.repeat(turn % 700), turn]))`
  const loader = new URL('node_modules/tsx/dist/esm/index.mjs', ROOT).href
  const writer = (NAME: string) =>
    execa(process.execPath, ['--import', loader, '--input-type=module', '--eval', code], {
      env: { FILE: file, NAME },
    })
  await Promise.all([writer('a'), writer('b')])
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  expect(lines).toHaveLength(4000)
  expect(lines.filter((line) => !/^\["(?:a*|b*)",\d+\]$/.test(line))).toEqual([])
})

test.each([
  ['a folder that is missing', 'missing/log', 'ENOENT: no such file or directory'],
  ['a folder in its place', '', 'EISDIR: illegal operation on a directory'],
])('%s is one line that names the file', async (_, name, reason) => {
  const path = join(folder, name)
  await expect(appendLine(path, 'x')).rejects.toThrow(`--log "${path}" can't be written: ${reason}`)
})

test.skipIf(process.platform !== 'linux')(
  'a full disk is an error, not half a line that nobody knows of',
  async () => {
    await expect(appendLine('/dev/full', 'x')).rejects.toThrow(/"\/dev\/full" can't be written: ENOSPC/)
  },
)
