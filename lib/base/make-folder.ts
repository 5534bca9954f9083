import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder, and those above it that are not there. (Node's own `recursive` never ends below /proc, where no folder
 * can be made and none is said to be missing.)
 *
 * @param mode of each that is made, less the umask
 * @throws the file system's own error
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const reason = await made(path, mode)
  if (reason === undefined) return
  const above = dirname(path)
  if (codeOf(reason) !== 'ENOENT' || above === path) throw reason
  await makeFolder(above, mode)
  const again = await made(path, mode)
  if (again !== undefined) throw again
}

/** Why it could not be made; undefined where it is there. */
async function made(path: string, mode: number): Promise<unknown> {
  try {
    await mkdir(path, { mode })
    return undefined
  } catch (error) {
    const there = codeOf(error) === 'EEXIST' && (await stat(path).catch(() => undefined))?.isDirectory()
    return there ? undefined : error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
