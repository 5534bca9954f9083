import { chmod, lstat, mkdtemp, readdir, readlink, rename, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { Writable } from 'node:stream'
import { Failure } from '../../base/errors.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { startStreaming } from '../../base/streaming.ts'
import { isGnuTar } from '../../base/tar.ts'
import { shellWords } from '../../base/shell.ts'
import { lastLine, messageOf, quoted } from '../../base/text.ts'
import { staysInside } from './files.ts'
import type { Work } from './job.ts'
import { streamFrom } from './transfer.ts'

export type Fetched = { missing: string[]; notes: string[] }

/**
 * Brings back what a command has made, each path to the same one below the folder that it belongs to. What is there
 * already is kept beside it. Whatever the machine sends, nothing gets anywhere else: all of it is unpacked into a new
 * folder, looked through, and only what was asked for is moved.
 *
 * @returns what was asked for and is not there; and what a person should know: what was kept, what was left out
 * @throws Failure; the signal's reason
 */
export async function fetchReturned(
  host: Host,
  run: string,
  { returns, folder, cwd }: Pick<Work, 'returns' | 'folder' | 'cwd'>,
  reach: Reach,
  signal: AbortSignal,
): Promise<Fetched> {
  if (returns.length === 0) return { missing: [], notes: [] }
  try {
    await makeFolder(folder)
    const holes = await isGnuTar(signal)
    const part = await mkdtemp(join(folder, '.resource-sharing-'))
    try {
      await unpack(
        host,
        { ID: run, CWD: cwd, RETURN: shellWords(returns), HOLES: holes ? '1' : '' },
        part,
        reach,
        signal,
      )
      const { notes, closed } = await cleaned(part)
      const fetched: Fetched = { missing: [], notes }
      for (const path of returns) {
        const kept = await place(part, path, folder)
        if (kept) fetched.notes.push(...kept)
        else fetched.missing.push(path)
      }
      // From the innermost: a folder that is closed can't be walked into.
      for (const [path, mode] of closed.toReversed())
        if (returns.some((each) => path === each || path.startsWith(`${each}/`)))
          await chmod(join(folder, path), mode)
      return fetched
    } finally {
      await rm(part, { recursive: true, force: true })
    }
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error
    throw new Failure(`what came back can't be put into ${quoted(folder)}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function unpack(
  host: Host,
  values: Record<string, string>,
  part: string,
  reach: Reach,
  signal: AbortSignal,
): Promise<void> {
  const tar = startStreaming({ file: 'tar', args: ['-xof', '-', '-C', part] })
  let stderr = ''
  tar.stderr.on('data', (chunk: Buffer) => {
    stderr = `${stderr}${chunk.toString()}`.slice(-10_000)
  })
  tar.stdout.resume()
  try {
    await streamFrom(host, 'run_pack', values, untilClosed(tar.stdin), reach, signal)
  } catch (error) {
    tar.kill()
    await tar.ended
    throw error
  }
  const { exitCode, missing } = await tar.ended
  if (missing) throw new Failure('there is no tar here')
  if (exitCode !== 0) throw new Failure(unpackFault(stderr))
}

/** tar reads no further than the end of the archive: what comes after that, and its end, go nowhere. */
function untilClosed(to: Writable): Writable {
  return new Writable({
    write: (chunk, _, done) => {
      if (to.writable) to.write(chunk, () => done())
      else done()
    },
    final: (done) => {
      if (to.writable) to.end(() => done())
      else done()
    },
  })
}

function unpackFault(stderr: string): string {
  return `what came back can't be unpacked: ${lastLine(stderr, 160) ?? 'tar does not say why'}`
}

/**
 * Removes what has no business there: devices, links that lead out, hard links to something else, set-id bits. And what
 * others may do with a file or a folder is what this person lets them: tar asks nobody where it is root.
 *
 * @returns what was left out; and folders, outer ones first, that are open for now, since only an open one can be moved,
 *   with the mode that each is to have in the end
 */
async function cleaned(part: string): Promise<{ notes: string[]; closed: [path: string, mode: number][] }> {
  const notes: string[] = []
  const closed: [string, number][] = []
  const allowed = 0o777 & ~process.umask()
  const links = new Map<string, { paths: string[]; count: number }>()
  const leave = async (path: string, why: string) => {
    await rm(path, { force: true })
    notes.push(`${quoted(relative(part, path))} was left out: it ${why}`)
  }
  const walk = async (folder: string): Promise<void> => {
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      const entry = await lstat(path)
      if (entry.isDirectory()) {
        const mode = entry.mode & allowed
        if ((mode & 0o700) !== 0o700) closed.push([relative(part, path), mode])
        await chmod(path, mode | 0o700)
        await walk(path)
      } else if (entry.isSymbolicLink()) {
        // What comes back may be moved as deep as its top: the link has to stay below that.
        const top = join(part, relative(part, path).split('/')[0] ?? '')
        if (!staysInside(top, folder, await readlink(path)))
          await leave(path, 'is a link that leads elsewhere')
      } else if (entry.isFile()) {
        if ((entry.mode & 0o7777 & ~allowed) !== 0) await chmod(path, entry.mode & allowed)
        const known = links.get(String(entry.ino)) ?? { paths: [], count: entry.nlink }
        links.set(String(entry.ino), { ...known, paths: [...known.paths, path] })
      } else await leave(path, 'is neither a file nor a folder')
    }
  }
  await walk(part)
  for (const { paths, count } of links.values())
    if (paths.length < count) for (const path of paths) await leave(path, 'is a link to something else')
  return { notes, closed }
}

/** Moves one of the paths that were asked for to its place, and says what was kept for it; undefined where it is not. */
async function place(part: string, path: string, folder: string): Promise<string[] | undefined> {
  const steps = path.split('/')
  for (const [index] of steps.slice(0, -1).entries()) {
    const way = join(part, ...steps.slice(0, index + 1))
    const entry = await lstat(way).catch(() => undefined)
    if (!entry?.isDirectory()) return undefined
  }
  const [from, to] = [join(part, path), join(folder, path)]
  if (!(await exists(from))) return undefined
  await makeFolder(dirname(to))
  const notes: string[] = []
  if (await exists(to)) {
    const kept = await beside(to)
    await rename(to, kept)
    notes.push(`${quoted(path)} was there already: it is now ${quoted(relative(folder, kept))}`)
  }
  await rename(from, to)
  return notes
}

/** A name beside a path that nothing has. */
async function beside(path: string): Promise<string> {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-')
  for (let count = 0; ; count += 1) {
    const candidate = `${path}.before-${stamp}${count === 0 ? '' : `-${count}`}`
    if (!(await exists(candidate))) return candidate
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** What was not made, a line each. */
export function missingText(missing: readonly string[]): string[] {
  return missing.map((path) => `${quoted(path)} was not made`)
}
