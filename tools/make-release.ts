import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, type Limits } from '../lib/base/command.ts'
import { Failure, Refused, UsageError } from '../lib/base/errors.ts'
import { lastLine, quoted } from '../lib/base/text.ts'
import { released } from './changelog.ts'
import { lockWith, ownVersion, packageWith } from './package-version.ts'
import { isGreater, versionOf } from './version.ts'

const FILES = ['CHANGELOG.md', 'package.json', 'package-lock.json'] as const

/**
 * Gives what is unreleased in a repository a version, as a commit and a tag. Either all of it is done or nothing.
 *
 * @param date YYYY-MM-DD
 * @returns the tag
 * @throws UsageError, Refused; Failure when git fails; the signal's reason
 */
export async function makeRelease(
  text: string,
  folder: string,
  date: string,
  limits: Limits,
): Promise<string> {
  const version = versionOf(text)
  if (!version)
    throw new UsageError(`${quoted(text)} is no version: write MAJOR.MINOR.PATCH, as semver.org says`)
  const tag = `v${text}`
  const git = (...args: string[]) => gitIn(folder, args, limits)
  const branch = await git('branch', '--show-current')
  if (branch !== 'main')
    throw new Refused(`a release is made on main, and this is ${branch ? quoted(branch) : 'no branch'}`)
  if ((await git('status', '--porcelain')) !== '')
    throw new Refused('there is something uncommitted: see `git status`')
  if ((await git('tag', '--list', tag)) !== '') throw new Refused(`there is a tag ${tag} already`)

  const texts = await Promise.all(FILES.map((path) => readFile(join(folder, path), 'utf8')))
  const [changelog = '', own = '', lock = ''] = texts
  const before = ownVersion(own)
  const other = versionOf(before)
  if (other && !isGreater(version, other))
    throw new Refused(`${text} is not greater than ${before}, the version in package.json`)
  const news = released(changelog, text, date)
  if (typeof news !== 'string') throw new Refused(`CHANGELOG.md ${news.why}`)

  const after = [news, packageWith(text, own), lockWith(text, lock)]
  const head = await git('rev-parse', 'HEAD')
  try {
    for (const [index, path] of FILES.entries()) await writeFile(join(folder, path), after[index] ?? '')
    await git('commit', '--quiet', '--message', `Version ${text}`, '--', ...FILES)
    await git('tag', '--annotate', '--message', tag, tag)
  } catch (error) {
    // Also after Ctrl-C. Nothing but these files was touched.
    const { signal } = new AbortController()
    await gitIn(folder, ['reset', '--quiet', '--soft', head], { ...limits, signal })
    await gitIn(folder, ['checkout', '--quiet', head, '--', ...FILES], { ...limits, signal })
    throw error
  }
  return tag
}

async function gitIn(folder: string, args: readonly string[], limits: Limits): Promise<string> {
  const ran = await run({ file: 'git', args: ['-C', folder, ...args] }, limits)
  if (ran.exitCode === 0) return ran.stdout.trim()
  throw new Failure(`git ${args[0]} failed: ${lastLine(ran.stderr, 160) ?? 'it does not say why'}`)
}
