import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packArguments, returnedPaths, sentFiles, staysInside } from '../../../../lib/work/jobs/files.ts'

let here = ''
beforeAll(async () => {
  here = await realpath(await mkdtemp(join(tmpdir(), 'rs-files-')))
  await writeFile(join(here, 'a'), '')
  await mkdir(join(here, 'sub'))
  await symlink('a', join(here, 'to-a'))
  await symlink('../a', join(here, 'sub/up-to-a'))
  await symlink(join(here, 'a'), join(here, 'by-whole-path'))
  await symlink('/etc/passwd', join(here, 'out'))
})
afterAll(() => rm(here, { recursive: true }))

test('a path below this folder keeps its relative name, any other has its last one', async () => {
  const above = basename(dirname(here))
  const sent = await sentFiles(['a', './', '/etc/passwd', '..'], here)
  expect(sent.map(({ as }) => as)).toEqual(['a', '.', 'passwd', above])
  expect(packArguments(sent, false).join(' ')).toBe(
    `-cf - -C ${here}/ ./a -C ${here} . -C /etc/ ./passwd -C ${dirname(dirname(here)).replace(/\/?$/, '/')} ./${above}`,
  )
})

test.each([
  [['none'], /none" does not exist/],
  [['a', './a'], /two of the paths would both be "a"/],
  [['/'], /whole machine/],
  [['to-a'], /to-a" is a link that would lead to nothing there: send ".*\/a", which it leads to/],
  [['to-a', 'sub'], /to-a" is a link/],
  [['by-whole-path', 'a'], /by-whole-path" is a link/],
  [['out'], /out" is a link .* send "\/etc\/passwd"/],
])('--send %j is refused', async (paths, message) => {
  await expect(sentFiles(paths, here)).rejects.toThrow(message)
})

test.each([[['to-a', 'a']], [['a', 'sub/up-to-a']], [['to-a', '.']]])(
  '--send %j: what a link leads to goes along',
  async (paths) => {
    expect((await sentFiles(paths, here)).map(({ as }) => as)).toEqual(paths)
  },
)

test('what comes back has a relative name, once', () => {
  expect(returnedPaths(['a', './a', 'b/c/', 'b', 'b/../d', '-x'])).toEqual(['a', 'b', 'd', '-x'])
})

test.each(['', '.', './', '..', '../a', 'a/../..', '/etc', 'a/../../b'])('--return %j is refused', (path) => {
  expect(() => returnedPaths([path])).toThrow(/--return/)
})

test.each([
  ['good', true],
  ['../good', true],
  ['./x/./y', true],
  ['../../out', false],
  ['/etc/passwd', false],
  ['x/../y', false],
  ['x/../../../y', false],
  ['../..', false],
  ['..', true],
])('a link in root/folder to %s: stays inside is %s', (target, inside) => {
  expect(staysInside('/root', '/root/folder', target)).toBe(inside)
})
