import { lstat, mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../../base/errors.ts'
import { makeFolder } from '../../../base/make-folder.ts'
import { messageOf, quoted } from '../../../base/text.ts'
import { numbered, OWN_PREFIX } from './names.ts'

const MOST_NUMBERED = 10_000

/**
 * The real path of a folder that files may go to: made where it is missing, and without what was left half done there.
 *
 * @throws Failure when it can't be used
 */
export async function usableFolder(folder: string): Promise<string> {
  try {
    await makeFolder(folder)
    const root = await realpath(folder)
    await removeLeftParts(root)
    return root
  } catch (error) {
    throw new Failure(`the folder ${quoted(folder)} can't be used: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * The folder of these names inside another, made where it is missing. What is there as a link or a file is not entered:
 * the name after it is taken.
 *
 * @param root a real path
 * @throws the file system's own error; Error when the folder is outside all the same
 */
export async function folderInside(root: string, names: readonly string[]): Promise<string> {
  let folder = root
  for (const name of names) folder = await folderNamed(folder, name)
  if ((await realpath(folder)) !== folder) throw new Error('the folder has become a link')
  return folder
}

async function folderNamed(parent: string, name: string): Promise<string> {
  for (let count = 0; count < MOST_NUMBERED; count += 1) {
    const folder = join(parent, numbered(name, count))
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    if ((await lstat(folder)).isDirectory()) return folder
  }
  throw new Error('too many files have the name of the folder')
}

/** The file under which a transfer by this process is kept until it is whole. */
export function partFile(root: string, random: string): string {
  return join(root, `${OWN_PREFIX}${process.pid}-${random}.part`)
}

/** Removes what receivers that are gone have left half done. */
async function removeLeftParts(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const match = name.startsWith(OWN_PREFIX) && /-(\d{1,10})-[0-9a-f]+\.part$/.exec(name)
    if (match && !isAlive(Number(match[1]))) await rm(join(root, name), { force: true })
  }
}

/** Another process that has the number by now keeps the file; it goes with the next start. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
