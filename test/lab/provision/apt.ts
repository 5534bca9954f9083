import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { exists } from '../cache.ts'
import { LabError } from '../error.ts'
import { type Log, run, toolPath } from '../run.ts'

/** What must be there (a command of PATH or a file) and the Debian package that brings it. */
const needs = [
  ['debootstrap', 'debootstrap'],
  ['gpgv', 'gpgv'],
  ['/usr/share/keyrings/debian-archive-keyring.gpg', 'debian-archive-keyring'],
  ['ip', 'iproute2'],
  ['nsenter', 'util-linux'],
  ['unshare', 'util-linux'],
  ['flock', 'util-linux'],
  ['mount', 'mount'],
  // What the tests use on this machine itself.
  ['ssh', 'openssh-client'],
  ['ps', 'procps'],
  ['python3', 'python3-minimal'],
  ['cpulimit', 'cpulimit'],
  ['chromium-headless-shell', 'chromium-headless-shell'],
] as const

const isThere = async (name: string): Promise<boolean> => {
  if (name.startsWith('/')) return await exists(name)
  for (const folder of toolPath.split(delimiter)) if (await exists(join(folder, name))) return true
  return false
}

/** Installs the packages this machine lacks for the lab and its tests; does nothing, and asks no registry, when all are there. */
export const installMissing = async (log: Log): Promise<void> => {
  const missing = new Set<string>()
  for (const [name, debian] of needs) if (!(await isThere(name))) missing.add(debian)
  if (missing.size === 0) return
  const list = [...missing]
  log(`installing ${list.join(', ')} … (about 10 s, once)`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await run(['apt-get', 'update', '-q'], { env, timeoutMs: 120_000 })
  await run(['apt-get', 'install', '-q', '-y', '--no-install-recommends', ...list], {
    env,
    timeoutMs: 300_000,
  })
}

const readOr = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return ''
  }
}

/** The Debian mirror this machine itself installs from: deb822 sources first, then the one-line format. */
export const debianMirror = async (): Promise<string> => {
  const deb822 = /^URIs:\s*(\S+)/m.exec(await readOr('/etc/apt/sources.list.d/debian.sources'))
  const oneLine = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/m.exec(await readOr('/etc/apt/sources.list'))
  const mirror = deb822?.[1] ?? oneLine?.[1]
  if (mirror === undefined)
    throw new LabError('no Debian mirror in debian.sources or sources.list of this machine')
  return mirror
}
