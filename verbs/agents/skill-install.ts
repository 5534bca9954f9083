import { lstat, mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { Failure, InputError, Refused } from '../../lib/base/errors.ts'
import { makeFolder } from '../../lib/base/make-folder.ts'
import { oneAtATime } from '../../lib/base/one-at-a-time.ts'
import { ownHome } from '../../lib/base/state-dir.ts'
import { messageOf, quoted } from '../../lib/base/text.ts'
import type { SkillInstallInput, SkillInstallResult } from './schemas.ts'

const ROOT = join(import.meta.dirname, '../..')
const NAME = 'resource-sharing'
const SOURCE = join(ROOT, 'skills', NAME)

/**
 * Beside SKILL.md of a copy: where the program is, and then the names of the files that were copied, a line each.
 * `scripts/rs` reads the first line.
 */
const INSTALLED = 'installed'

/** Copies the skill to where agents look for skills. @throws InputError, Failure, Refused */
export async function skillInstall(input: SkillInstallInput): Promise<SkillInstallResult> {
  if (input.to === '') throw new InputError('to', 'needs a folder')
  const folder = resolve(input.to ?? join(ownHome(), '.claude', 'skills'))
  const done = await oneAtATime('skill-install', async () => await install(folder))
  if (!done) throw new Refused('another skill-install is under way: run it again when that has ended')
  return { skill: join(folder, NAME), program: ROOT, replaced: done.result }
}

/** Says whether there was an earlier copy. @throws Failure, Refused */
async function install(folder: string): Promise<boolean> {
  const copy = join(folder, NAME)
  const [fresh, old] = [join(folder, `.${NAME}.new`), join(folder, `.${NAME}.old`)]
  const sweep = async () => {
    for (const path of [fresh, old]) await rm(path, { recursive: true, force: true })
  }
  try {
    await makeFolder(folder)
    await mustBeElsewhere(folder)
    const replaced = await mustBeOwn(copy)
    // A run that was killed may have left them.
    await sweep()
    await writeCopy(fresh)
    // A folder that has files can't be renamed over: for a moment there is none.
    if (replaced) await rename(copy, old)
    await rename(fresh, copy).catch(async (error: unknown) => {
      if (replaced) await rename(old, copy)
      throw error
    })
    await sweep()
    return replaced
  } catch (error) {
    await rm(fresh, { recursive: true, force: true }).catch(() => {})
    if (error instanceof Failure) throw error
    throw new Failure(`the skill can't be copied to ${quoted(folder)}: ${messageOf(error)}`, { cause: error })
  }
}

/** @throws Refused where the copy would take the place of what it is made of, or lie in it */
async function mustBeElsewhere(folder: string): Promise<void> {
  const copy = join(await realpath(folder), NAME)
  if (`${copy}/`.startsWith(`${await realpath(SOURCE)}/`))
    throw new Refused(`${quoted(folder)} has the skill that would be copied: name another folder`)
}

/**
 * Says whether an earlier copy of this skill is there.
 *
 * @throws Refused where something else is, or a file in it that is not of this skill: it would be lost
 */
async function mustBeOwn(copy: string): Promise<boolean> {
  const there = await lstat(copy).catch(() => undefined)
  if (there === undefined) return false
  const files = there.isDirectory() ? await filesIn(copy) : []
  const skill = await readFile(join(copy, 'SKILL.md'), 'utf8').catch(() => '')
  if (!skill.startsWith(`---\nname: ${NAME}\n`) || !files.includes('scripts/rs'))
    throw new Refused(`${quoted(copy)} is not a copy of this skill: move it away first`)
  const [, ...before] = (await readFile(join(copy, INSTALLED), 'utf8').catch(() => '')).split('\n')
  const known = new Set([INSTALLED, ...before, ...(await filesIn(SOURCE))])
  const strange = files.find((file) => !known.has(file))
  if (strange === undefined) return true
  throw new Refused(`${quoted(strange)} in ${quoted(copy)} is not of this skill: move it away first`)
}

async function writeCopy(fresh: string): Promise<void> {
  const files = await filesIn(SOURCE)
  for (const file of files) {
    const [from, to] = [join(SOURCE, file), join(fresh, file)]
    const executable = ((await stat(from)).mode & 0o100) !== 0
    await mkdir(dirname(to), { recursive: true })
    await writeFile(to, await readFile(from), { mode: executable ? 0o777 : 0o666 })
  }
  await writeFile(join(fresh, INSTALLED), `${[ROOT, ...files].join('\n')}\n`)
}

/** Names of all files in a folder, relative to it. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory())
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).toSorted()
}
