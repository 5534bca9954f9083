import { randomBytes } from 'node:crypto'
import { open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Puts a whole file in the place of another, or none: a reader sees the old text or the new one, and a full disk
 * leaves the old one. (write-file-atomic 7 does not look at how much was written: on a full disk it puts a file that
 * is cut short in the place of the whole one.)
 *
 * The temporary file lies beside it, hidden, and never ends like it: what reads `*.prom` does not find it.
 *
 * @param mode whatever the umask is
 * @throws the file system's own error; nothing is left behind
 */
export async function writeAtomically(file: string, text: string, mode: number): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const part = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.part`)
  try {
    const handle = await open(part, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(part, target)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
