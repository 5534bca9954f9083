import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { provide } from '../cache.ts'
import { type Log, run, tied } from '../run.ts'
import { debianMirror } from './apt.ts'

/** Bookworm's criu 3.17 cannot dump on recent kernels ("Unexpected rt vDSO area bounds"); trixie's 4.1 can. */
const suite = 'trixie'

const packages = [
  ['openssh-server', 'openssh-client', 'cron', 'sudo', 'rsync', 'curl', 'ca-certificates', 'less'],
  ['criu', 'procps', 'psmisc', 'kmod', 'util-linux-extra', 'iproute2', 'iputils-ping'],
  ['python3-minimal', 'clustershell', 'stress-ng', 'make', 'parallel'],
  // For the kinds of machines of in-host/kind.sh.
  ['busybox', 'fish', 'zsh', 'tcsh'],
  // cron needs one of three; this one is a program, the others bring systemd.
  ['systemd-standalone-sysusers'],
].flat()

const hash = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)

const base = {
  key: `debian-${suite}-${hash(suite, ...packages)}`,
  label: `installing Debian ${suite} for the hosts`,
  expected: '1 min',
  make: async (folder: string): Promise<void> => {
    const apart = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private']
    const install = ['bash', join(import.meta.dirname, 'install.sh'), suite, folder, await debianMirror()]
    await run([...tied, ...apart, ...install, ...packages], { timeoutMs: 1_200_000 })
  },
}

/**
 * The lower layers of a host's file system, uppermost first: what `setup.sh` adds (users, keys, sshd) over a
 * plain Debian. Two layers, so that a change of `setup.sh` costs a second and not a new installation.
 */
export const provideDebian = async (log: Log): Promise<readonly string[]> => {
  const debian = await provide(base, log)
  const script = join(import.meta.dirname, 'setup.sh')
  const layer = await provide(
    {
      key: `setup-${hash(base.key, await readFile(script, 'utf8'))}`,
      label: 'preparing users and sshd of the hosts',
      expected: '2 s',
      make: async (folder) => {
        const apart = ['unshare', '--mount', '--propagation', 'private', 'bash', script]
        await run([...tied, ...apart, debian, folder], { timeoutMs: 60_000 })
      },
    },
    log,
  )
  return [join(layer, 'upper'), debian]
}
