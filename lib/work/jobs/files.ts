import { lstat, readlink } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, normalize, relative, resolve } from 'node:path'
import { UsageError } from '../../base/errors.ts'
import { LEAVE_OUT_HOLES } from '../../base/tar.ts'
import { quoted } from '../../base/text.ts'
import type { Work } from './job.ts'

type Sent = Work['send'][number]

/**
 * What goes to the other machine. A path below this folder keeps its relative name there, so that a command finds it
 * as it would here; any other has its last name.
 *
 * @throws UsageError when one is missing, or two would be the same
 */
export async function sentFiles(paths: readonly string[], here: string): Promise<Sent[]> {
  const sent = paths.map((path) => {
    const whole = resolve(here, path)
    const below = relative(here, whole)
    const outside = below === '..' || below.startsWith('../') || isAbsolute(below)
    return { path: whole, as: outside ? basename(whole) : below || '.' }
  })
  for (const [index, { path, as }] of sent.entries()) {
    if (as === '')
      throw new UsageError(`--send ${quoted(path)} is the whole machine: name what is to be sent`)
    const entry = await lstat(path).catch(() => undefined)
    if (entry === undefined) throw new UsageError(`--send ${quoted(path)} does not exist`)
    const target = entry.isSymbolicLink() ? await readlink(path) : undefined
    if (target !== undefined && !goesAlong(target, { path, as }, sent))
      throw new UsageError(
        `--send ${quoted(path)} is a link that would lead to nothing there: send ${quoted(resolve(dirname(path), target))}, which it leads to`,
      )
    if (sent.findIndex((other) => other.as === as) !== index)
      throw new UsageError(`--send: two of the paths would both be ${quoted(as)} there`)
  }
  return sent
}

/**
 * What comes back: relative paths, none outside of where the command runs.
 *
 * @throws UsageError that names the one that is not
 */
export function returnedPaths(paths: readonly string[]): string[] {
  const normal = paths.map((path) => {
    const way = normalize(path).replace(/\/$/, '')
    if (path === '' || isAbsolute(path) || way === '..' || way.startsWith('../'))
      throw new UsageError(
        `--return takes a path below the folder where the command runs, not ${quoted(path)}`,
      )
    if (way === '.') throw new UsageError('--return takes the name of what comes back, not the whole folder')
    return way
  })
  const unique = [...new Set(normal)]
  return unique.filter((path) => !unique.some((other) => path.startsWith(`${other}/`)))
}

/**
 * Arguments of tar that pack what is sent, each under its name there.
 *
 * @param holes whether both ends have GNU's tar, so that holes may stay holes
 */
export function packArguments(send: readonly Sent[], holes: boolean): string[] {
  const operands = send.flatMap(({ path, as }) =>
    as === '.' ? ['-C', path, '.'] : ['-C', path.slice(0, -as.length), `./${as}`],
  )
  return [...(holes ? [LEAVE_OUT_HOLES] : []), '-cf', '-', ...operands]
}

/**
 * Whether a symbolic link stays in a folder, whatever else is in there: its target is relative, goes up first and then
 * down, and not out.
 *
 * @param from the folder of the link, below `root`
 */
export function staysInside(root: string, from: string, target: string): boolean {
  if (isAbsolute(target)) return false
  const steps = target.split('/').filter((step) => step !== '' && step !== '.')
  const down = steps.findIndex((step) => step !== '..')
  if (down !== -1 && steps.slice(down).includes('..')) return false
  const way = relative(root, join(from, target))
  return way !== '..' && !way.startsWith('../')
}

/** Whether what a link leads to is sent too, and will be where the link looks for it there. */
function goesAlong(target: string, link: Sent, sent: readonly Sent[]): boolean {
  if (isAbsolute(target)) return false
  const [here, there] = [resolve(dirname(link.path), target), join(dirname(link.as), target)]
  return sent.some(({ path, as }) => {
    const below = relative(as, there)
    return path !== link.path && below !== '..' && !below.startsWith('../') && join(path, below) === here
  })
}
