import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { UsageError } from '../../../lib/base/errors.ts'
import { walk } from '../../../lib/share/walk.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'walk-test-'))
  await mkdir(join(folder, 'tree/deep/empty'), { recursive: true })
  await writeFile(join(folder, 'tree/a'), 'a')
  await writeFile(join(folder, 'tree/deep/b'), 'bb')
  await writeFile(join(folder, 'file'), 'ccc')
  return () => rm(folder, { recursive: true, force: true })
})

test('a folder is its files, named after it; a file is itself', async () => {
  const { files, hasFolder, leftOut } = await walk([join(folder, 'tree/'), join(folder, 'file')])
  expect(files.map(({ name, size }) => [name, size])).toEqual([
    ['tree/a', 1],
    ['tree/deep/b', 2],
    ['file', 3],
  ])
  expect([hasFolder, leftOut]).toEqual([true, [{ name: 'tree/deep/empty', why: 'an empty folder' }]])
})

test('a link to a file is sent as the file, a link to a folder is left out, and a circle has an end', async () => {
  await symlink('../file', join(folder, 'tree/link'))
  await symlink('..', join(folder, 'tree/circle'))
  await symlink('nowhere', join(folder, 'tree/dangling'))
  const { files, leftOut } = await walk([join(folder, 'tree')])
  expect(files.map(({ name }) => name)).toEqual(['tree/a', 'tree/deep/b', 'tree/link'])
  expect(leftOut.filter(({ why }) => why !== 'an empty folder')).toEqual([
    { name: 'tree/circle', why: 'a link to a folder, or to what is no file' },
    { name: 'tree/dangling', why: 'a link to nothing' },
  ])
})

test.runIf(process.platform === 'linux')(
  'a name that is no UTF-8 is left out and told, and the others go',
  async () => {
    await writeFile(Buffer.concat([Buffer.from(join(folder, 'tree/')), Buffer.from([0xe9, 0x2e, 0x61])]), 'x')
    const { files, leftOut } = await walk([join(folder, 'tree')])
    expect(files.map(({ name }) => name)).toEqual(['tree/a', 'tree/deep/b'])
    expect(leftOut).toContainEqual({ name: 'tree/\uFFFD.a', why: 'a name that is not UTF-8' })
  },
)

test('a path named twice is sent once', async () => {
  const twice = [join(folder, 'file'), join(folder, './file')]
  expect((await walk(twice)).files).toHaveLength(1)
})

test('what can not be sent is a usage error that names it', async () => {
  const server = createServer().listen(join(folder, 'socket'))
  onTestFinished(() => void server.close())
  await mkdir(join(folder, 'other/file'), { recursive: true })
  await writeFile(join(folder, 'other/file/x'), '')
  await writeFile(join(folder, 'other/a'), '')
  await new Promise((resolve) => setTimeout(resolve, 50))
  const wrong: [string[], RegExp][] = [
    [[], /^which file/],
    [[join(folder, 'nowhere')], /nowhere" does not exist$/],
    [[join(folder, 'file'), join(folder, 'nowhere')], /nowhere" does not exist$/],
    [[join(folder, 'socket')], /socket" is neither a file nor a folder$/],
    [[join(folder, 'tree/deep/empty')], /^there is no file/],
    [['/'], /whole machine/],
    [[join(folder, 'tree/a'), join(folder, 'other/a')], /^two of the paths are called "a"/],
  ]
  for (const [paths, message] of wrong) {
    await expect(walk(paths)).rejects.toThrow(UsageError)
    await expect(walk(paths)).rejects.toThrow(message)
  }
})
