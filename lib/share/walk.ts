import { constants } from 'node:fs'
import { access, lstat, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { UsageError } from '../base/errors.ts'
import type { LocalFile } from './localsend/client/offer.ts'
import { messageOf, quoted } from '../base/text.ts'

/** What a person wants to send. */
export type Parcel = {
  /** Absolute, each as it was named. */
  paths: string[]
  files: LocalFile[]
  /** Whether one of the paths is a folder. */
  hasFolder: boolean
  /** What LocalSend and Taildrop do not send of the folders, and why: links to folders, sockets, empty folders. */
  leftOut: { name: string; why: string }[]
}

/**
 * The files of these paths. A folder's files are named after it: `photos/2024/a.jpg`.
 *
 * @throws UsageError when one is missing or can't be read, or there is nothing to send
 */
export async function walk(operands: readonly string[]): Promise<Parcel> {
  if (operands.length === 0) throw new UsageError('which file? Give a PATH (--help lists what there is)')
  const paths = [...new Set(operands.map((operand) => resolve(operand)))]
  const parcel: Parcel = { paths, files: [], hasFolder: false, leftOut: [] }
  for (const path of paths) {
    const name = basename(path)
    if (name === '') throw new UsageError(`${quoted(path)} is the whole machine: name what is to be sent`)
    const entry = await entryAt(path)
    if (entry.isDirectory()) {
      parcel.hasFolder = true
      await addFolder(path, name, parcel)
    } else if (entry.isFile()) await addFile(path, name, parcel)
    else throw new UsageError(`${quoted(path)} is neither a file nor a folder`)
  }
  if (parcel.files.length === 0) throw new UsageError('there is no file in what is to be sent')
  const twice = repeated(parcel.files.map(({ name }) => name))
  if (twice !== undefined)
    throw new UsageError(`two of the paths are called ${quoted(twice)}: send one at a time`)
  return parcel
}

async function addFolder(folder: string, name: string, parcel: Parcel): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(folder, error)
  })
  if (entries.length === 0) parcel.leftOut.push({ name, why: 'an empty folder' })
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const [path, below] = [join(folder, entry.name), `${name}/${entry.name}`]
    // Node has put this character in the place of what is no UTF-8, and finds no such file.
    if (entry.name.includes('\uFFFD') && !(await isThere(path)))
      parcel.leftOut.push({ name: below, why: 'a name that is not UTF-8' })
    else if (entry.isDirectory()) await addFolder(path, below, parcel)
    else if (entry.isFile()) await addFile(path, below, parcel)
    else if (entry.isSymbolicLink() && (await isFile(path))) await addFile(path, below, parcel)
    else parcel.leftOut.push({ name: below, why: await kindOf(path) })
  }
}

async function addFile(path: string, name: string, { files }: Parcel): Promise<void> {
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw unreadable(path, error)
  })
  const { size, mtime } = await entryAt(path)
  files.push({ path, name, size, modified: mtime })
}

async function entryAt(path: string) {
  return stat(path).catch((error: unknown) => {
    throw unreadable(path, error)
  })
}

async function kindOf(path: string): Promise<string> {
  const entry = await lstat(path)
  if (!entry.isSymbolicLink()) return 'neither a file nor a folder'
  return (await isThere(path)) ? 'a link to a folder, or to what is no file' : 'a link to nothing'
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  )
}

function unreadable(path: string, error: unknown): UsageError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const why =
    code === 'ENOENT'
      ? 'does not exist'
      : code === 'EACCES'
        ? 'is not yours to read'
        : `can't be read: ${messageOf(error)}`
  return new UsageError(`${quoted(path)} ${why}`)
}

function repeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  return names.find((name) => seen.size === seen.add(name).size)
}
