import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeAtomically } from '../../../lib/base/atomic-file.ts'

let folder = ''
let file = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  file = join(folder, 'a.prom')
})
afterEach(() => rm(folder, { recursive: true }))

test('a reader sees one whole text or the other, whatever their lengths', async () => {
  const texts = ['a'.repeat(5), 'b'.repeat(300_000)]
  await writeAtomically(file, texts[0] ?? '', 0o644)
  const done = new AbortController()
  const seen = new Set<string>()
  const reader = (async () => {
    while (!done.signal.aborted) seen.add(await readFile(file, 'utf8'))
  })()
  for (let turn = 0; turn < 60; turn += 1) await writeAtomically(file, texts[turn % 2] ?? '', 0o644)
  done.abort()
  await reader
  expect([...seen].filter((text) => !texts.includes(text))).toEqual([])
  expect(seen.size).toBe(2)
})

test('its mode is what was asked for, whatever the umask and the old file’s mode are', async () => {
  await writeFile(file, 'old')
  await chmod(file, 0o600)
  expect(process.umask() & 0o022).toBeGreaterThan(0)
  await writeAtomically(file, 'new', 0o666)
  expect((await stat(file)).mode & 0o777).toBe(0o666)
})

test('only the file itself ever has its ending, and nothing else stays', async () => {
  const names = new Set<string>()
  const watcher = watch(folder, (_, name) => names.add(String(name)))
  await writeAtomically(file, 'text', 0o644)
  await expect.poll(() => names.size).toBeGreaterThan(1)
  watcher.close()
  expect([...names].filter((name) => name.endsWith('.prom'))).toEqual(['a.prom'])
  expect(await readdir(folder)).toEqual(['a.prom'])
})

test('when it can’t be put there nothing is left behind', async () => {
  await mkdir(file)
  await expect(writeAtomically(file, 'text', 0o644)).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/)
  expect(await readdir(folder)).toEqual(['a.prom'])
})

test('a link stays a link', async () => {
  const real = join(folder, 'real')
  await writeFile(real, 'old')
  await symlink(real, file)
  await writeAtomically(file, 'new', 0o644)
  expect(await readFile(real, 'utf8')).toBe('new')
  expect((await readdir(folder)).toSorted()).toEqual(['a.prom', 'real'])
})
