import { copyFile, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lastingNode } from '../../../lib/base/own-program.ts'

let folder = ''
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'rs-test-')))
  // As Homebrew has it: a folder of each version, and links to what is in the newest.
  for (const path of ['Cellar/20.1.0/bin', 'bin', 'other'])
    await mkdir(join(folder, path), { recursive: true })
  await copyFile('/bin/true', join(folder, 'Cellar/20.1.0/bin/node'))
  await copyFile('/bin/false', join(folder, 'other/node'))
  await symlink('../Cellar/20.1.0/bin/node', join(folder, 'bin/node'))
})
afterEach(() => rm(folder, { recursive: true }))

test.each([
  ['by the link that PATH has', ['bin'], 'bin/node'],
  ['by its own path, where PATH leads to another', ['other'], 'Cellar/20.1.0/bin/node'],
  ['by the link, also behind another', ['other', 'bin'], 'bin/node'],
  ['by its own path, where there is no PATH', [], 'Cellar/20.1.0/bin/node'],
])('cron calls Node %s', (_, folders, expected) => {
  const path = ['relative', ...folders.map((each) => join(folder, each))].join(':')
  expect(lastingNode(join(folder, 'Cellar/20.1.0/bin/node'), path)).toBe(join(folder, expected))
})
