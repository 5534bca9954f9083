import { readdir, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import pMap from 'p-map'
import { InputError, Refused, UsageError } from '../../lib/base/errors.ts'
import { messageOf, quoted } from '../../lib/base/text.ts'

/** More would take long to look through, and to send. */
const MOST_ENTRIES = 100_000

/** The folders that an agent may name paths in: real paths. Relative paths begin in the first. */
export class Roots {
  readonly #folders: readonly string[]

  private constructor(folders: readonly string[]) {
    this.#folders = folders
  }

  /** @throws UsageError when one is not there */
  static async of(folders: readonly string[]): Promise<Roots> {
    const real = async (folder: string) => {
      // What an unset variable leaves would open whatever folder the client starts its servers in.
      if (folder.trim() === '') throw new UsageError('--root needs a folder')
      const path = await realpath(resolve(folder)).catch(() => {
        throw new UsageError(`--root ${quoted(folder)} does not exist`)
      })
      if (!(await stat(path)).isDirectory()) throw new UsageError(`--root ${quoted(folder)} is not a folder`)
      return path
    }
    return new Roots(await pMap(folders, real))
  }

  /** Where relative paths begin. @throws Refused without any root */
  first(): string {
    const [first] = this.#folders
    if (first === undefined)
      throw new Refused('no folder is open to agents: start `just mcp` with --root FOLDER')
    return first
  }

  /**
   * A path that is there, as its real path.
   *
   * @param field of the input that has it
   * @throws InputError when it is missing; Refused when it lies outside
   */
  async existing(path: string, field: string): Promise<string> {
    const real = await realpath(resolve(this.first(), path)).catch(() => {
      throw new InputError(field, `${quoted(path)} does not exist`)
    })
    return this.#inside(real, path)
  }

  /** A folder that may be made: its nearest parent that is there decides. @throws Refused when it lies outside */
  async folder(path: string): Promise<string> {
    let parent = resolve(this.first(), path)
    const missing: string[] = []
    for (;;) {
      const real = await realpath(parent).catch(() => undefined)
      if (real !== undefined) return this.#inside(join(real, ...missing), path)
      missing.unshift(basename(parent))
      parent = dirname(parent)
    }
  }

  /**
   * Says that no link in a folder leads out of the roots: its target would be sent as if it were there.
   *
   * @throws Refused that names the link
   */
  async mustHoldLinks(folder: string): Promise<void> {
    const look = { recursive: true, withFileTypes: true } as const
    const entries = await readdir(folder, look).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') return []
      // What can't be looked through, such as a name that is not UTF-8, may hold such a link.
      throw new Refused(`${quoted(folder)} can't be looked through: ${messageOf(error)}`)
    })
    if (entries.length > MOST_ENTRIES)
      throw new Refused(`${quoted(folder)} has more than ${MOST_ENTRIES} files: name a part of it`)
    for (const entry of entries.filter((each) => each.isSymbolicLink())) {
      const link = join(entry.parentPath, entry.name)
      const target = await realpath(link).catch(() => undefined)
      const named = target ?? (await readlink(link).catch(() => undefined))
      if (named === undefined) throw new Refused(`the link ${quoted(link)} can't be read`)
      this.#inside(resolve(dirname(link), named), link)
    }
  }

  #inside(real: string, path: string): string {
    const below = this.#folders.some((folder) => {
      const way = relative(folder, real)
      return way !== '..' && !way.startsWith('../') && !isAbsolute(way)
    })
    if (below) return real
    throw new Refused(`${quoted(path)} is outside of the folders that are open to agents (--root)`)
  }
}
