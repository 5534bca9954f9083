import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Refused, UsageError } from '../../lib/base/errors.ts'
import { released } from '../../tools/changelog.ts'
import { makeRelease } from '../../tools/make-release.ts'

const ROOT = join(import.meta.dirname, '../..')
const CHANGELOG =
  '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Something.\n\n## [0.1.0] - 2020-02-02\n\n### Added\n\n- All.\n'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  // Nothing of the person's own git: neither signatures nor hooks.
  vi.stubEnv('HOME', folder)
  vi.stubEnv('XDG_CONFIG_HOME', folder)
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1')
  for (const key of ['AUTHOR', 'COMMITTER']) {
    vi.stubEnv(`GIT_${key}_NAME`, 'A Tester')
    vi.stubEnv(`GIT_${key}_EMAIL`, 'tester@example.invalid')
  }
  await git('init', '--quiet')
  await git('symbolic-ref', 'HEAD', 'refs/heads/main')
  const own = { name: 'x', version: '0.1.0', files: ['a'], license: 'MIT' }
  const other = { version: '0.1.0', resolved: 'x' }
  const lock = {
    name: 'x',
    version: '0.1.0',
    lockfileVersion: 3,
    packages: { '': own, 'node_modules/b': other },
  }
  await write('package.json', `${JSON.stringify(own, null, 2)}\n`)
  await write('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
  await write('CHANGELOG.md', CHANGELOG)
  await commit()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const git = async (...args: string[]) => (await execa('git', args, { cwd: folder })).stdout
const read = (name: string) => readFile(join(folder, name), 'utf8')
const write = (name: string, text: string) => writeFile(join(folder, name), text)
async function commit(): Promise<void> {
  await git('add', '--all')
  await git('commit', '--quiet', '--message', 'x')
}

const limits = { timeoutMs: 60_000, signal: new AbortController().signal }
const release = (version: string) => makeRelease(version, folder, '2021-03-04', limits)

/** All that a release would change. */
const state = async () =>
  await Promise.all([
    git('log', '--all', '--format=%H %D'),
    git('tag'),
    git('status', '--porcelain'),
    read('CHANGELOG.md'),
  ])

test('a release is a dated section, the version in both files, a commit and a tag', async () => {
  const [before, lockBefore] = [await read('package.json'), await read('package-lock.json')]
  expect(await release('0.2.0')).toBe('v0.2.0')
  expect(await read('CHANGELOG.md')).toBe(
    CHANGELOG.replace('## [Unreleased]\n', '## [Unreleased]\n\n## [0.2.0] - 2021-03-04\n'),
  )
  expect(await read('package.json')).toBe(before.replace('0.1.0', '0.2.0'))
  // Of the versions in it only the first two are its own.
  expect(await read('package-lock.json')).toBe(lockBefore.replace('0.1.0', '0.2.0').replace('0.1.0', '0.2.0'))
  expect(await git('log', '--format=%s', '--name-only', '-1')).toBe(
    'Version 0.2.0\n\nCHANGELOG.md\npackage-lock.json\npackage.json',
  )
  expect(await git('rev-parse', 'v0.2.0^{commit}')).toBe(await git('rev-parse', 'HEAD'))
  expect(await git('status', '--porcelain')).toBe('')
  // There is nothing more to release.
  await expect(release('0.3.0')).rejects.toThrow('tells of nothing that is unreleased')
})

test('the recipe works where it is run, dates by today, pushes nothing and says how to', async () => {
  const days = [new Date().toISOString().slice(0, 10)]
  const recipe = [join(ROOT, 'cli/start.mjs'), 'tools/release.ts']
  const start = async (...args: string[]) =>
    await execa(process.execPath, [...recipe, ...args], { cwd: folder, reject: false })
  expect(await start('0.2.0')).toMatchObject({
    exitCode: 0,
    stdout: '0.2.0 is committed and has the tag v0.2.0',
    stderr: 'nothing was pushed; then: git push --atomic origin main v0.2.0',
  })
  days.push(new Date().toISOString().slice(0, 10))
  expect(days).toContain(/^## \[0\.2\.0\] - (.*)$/m.exec(await read('CHANGELOG.md'))?.[1])
  for (const args of [[], ['0.3.0', '0.4.0']])
    expect(await start(...args)).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: 'give one version: just release VERSION',
    })
})

const changelogWith = (from: string, to: string) => async () => {
  await write('CHANGELOG.md', CHANGELOG.replace(from, to))
  await commit()
}
const REFUSALS: readonly [what: string, make: () => Promise<unknown>, version: string, says: string][] = [
  ['an untracked file', () => write('new', ''), '0.2.0', 'there is something uncommitted: see `git status`'],
  [
    'a changed file',
    () => write('package.json', '{}'),
    '0.2.0',
    'there is something uncommitted: see `git status`',
  ],
  [
    'another branch',
    () => git('checkout', '--quiet', '-b', 'other'),
    '0.2.0',
    'a release is made on main, and this is "other"',
  ],
  [
    'no branch',
    () => git('checkout', '--quiet', '--detach'),
    '0.2.0',
    'a release is made on main, and this is no branch',
  ],
  [
    'the version that it has',
    async () => {},
    '0.1.0',
    '0.1.0 is not greater than 0.1.0, the version in package.json',
  ],
  [
    'what comes before the version that it has',
    async () => {},
    '0.1.0-rc.1',
    '0.1.0-rc.1 is not greater than 0.1.0, the version in package.json',
  ],
  ['a version that has a tag', () => git('tag', 'v0.2.0'), '0.2.0', 'there is a tag v0.2.0 already'],
  [
    'nothing unreleased but headings',
    changelogWith('- Something.\n\n', ''),
    '0.2.0',
    'CHANGELOG.md tells of nothing that is unreleased',
  ],
  [
    'a changelog without that section',
    changelogWith('[Unreleased]', '[Coming]'),
    '0.2.0',
    'CHANGELOG.md has no section "## [Unreleased]"',
  ],
  [
    'a changelog with two of them',
    changelogWith('[0.1.0] - 2020-02-02', '[Unreleased]'),
    '0.2.0',
    'CHANGELOG.md has more than one section "## [Unreleased]"',
  ],
]

test.each(REFUSALS)('%s is refused, and nothing is changed', async (_, make, version, says) => {
  await make()
  const before = await state()
  await expect(release(version)).rejects.toThrow(new Refused(says))
  expect(await state()).toEqual(before)
})

test('what is no version is wrong usage', async () => {
  const says = '"0.2" is no version: write MAJOR.MINOR.PATCH, as semver.org says'
  await expect(release('0.2')).rejects.toThrow(new UsageError(says))
})

test.each([
  ['commit', 'pre-commit', 'true'],
  ['tag', 'reference-transaction', '[ "$1" = prepared ] && grep -q refs/tags'],
])('where git %s fails, everything is as it was', async (command, hook, when) => {
  const script = `#!/bin/sh\nif ${when}; then echo not today >&2; exit 1; fi\n`
  await writeFile(join(folder, '.git/hooks', hook), script, { mode: 0o755 })
  const before = await state()
  await expect(release('0.2.0')).rejects.toThrow(new RegExp(`^git ${command} failed: `))
  expect(await state()).toEqual(before)
})

test('the changelog of this repository is of that form', async () => {
  const text = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8')
  expect(released(text, '999.0.0', '2020-02-02')).not.toHaveProperty(
    'why',
    expect.stringContaining('section'),
  )
  const headings = text.split('\n').filter((line) => line.startsWith('#'))
  expect(headings.slice(0, 2)).toEqual(['# Changelog', '## [Unreleased]'])
  const form =
    /^## \[\d+\.\d+\.\d+\S*\] - \d{4}-\d\d-\d\d$|^### (?:Added|Changed|Deprecated|Removed|Fixed|Security)$/
  expect(headings.slice(2).filter((line) => !form.test(line))).toEqual([])
})
