import { lstat, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A folder that only this user can look into, for sockets and what need not survive a reboot; undefined where
 * none can be had. Somebody else's folder of that name, or one that others may enter, is not used.
 *
 * @param maxBytes longest path of the folder, because the address of a unix socket is short
 */
export async function runtimeDir(maxBytes: number): Promise<string | undefined> {
  const xdg = process.env.XDG_RUNTIME_DIR
  const own = `resource-sharing-${process.getuid?.()}`
  const candidates = [
    ...(xdg?.startsWith('/') ? [join(xdg, 'resource-sharing')] : []),
    join(tmpdir(), own),
    join('/tmp', own),
  ]
  for (const folder of candidates)
    if (Buffer.byteLength(folder) <= maxBytes && (await makePrivate(folder))) return folder
  return undefined
}

async function makePrivate(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) return false
  }
  const stat = await lstat(folder).catch(() => undefined)
  return (
    stat !== undefined && stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0
  )
}
