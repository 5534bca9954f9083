import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { provide } from '../cache.ts'
import { type Log, run, tied } from '../run.ts'
import { debianMirror } from './apt.ts'

/** Bookworm's criu 3.17 cannot dump on recent kernels ("Unexpected rt vDSO area bounds"); trixie's 4.1 can. */
const suite = 'trixie'

const packages = [
  ['openssh-server', 'openssh-client', 'cron', 'sudo', 'rsync', 'curl', 'ca-certificates', 'less', 'tmux'],
  ['criu', 'procps', 'psmisc', 'kmod', 'util-linux-extra', 'iproute2', 'iputils-ping'],
  ['python3-minimal', 'clustershell', 'pdsh', 'pssh', 'hyperfine', 'stress-ng', 'make', 'parallel'],
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

/** What one of the scripts beside this file adds over a plain Debian. */
const layer = async (
  debian: string,
  name: 'setup' | 'newer-criu' | 'workloads',
  words: { label: string; expected: string },
  log: Log,
  more: () => Promise<readonly string[]> = async () => [],
): Promise<string> => {
  const script = join(import.meta.dirname, `${name}.sh`)
  const part = {
    key: `${name}-${hash(base.key, await readFile(script, 'utf8'))}`,
    ...words,
    make: async (folder: string) => {
      const apart = ['unshare', '--mount', '--propagation', 'private', 'bash', script]
      await run([...tied, ...apart, debian, folder, ...(await more())], { timeoutMs: 300_000 })
    },
  }
  return join(await provide(part, log), 'upper')
}

/**
 * The lower layers of a host's file system, uppermost first: what `setup.sh` adds (users, keys, sshd), a newer criu, which
 * a host uses when it is told to, and what people run, over a plain Debian. Layers, so that a change of one of them costs
 * seconds and not a new installation.
 */
export const provideDebian = async (log: Log): Promise<readonly string[]> => {
  const debian = await provide(base, log)
  const setup = { label: 'preparing users and sshd of the hosts', expected: '2 s' }
  const criu = { label: 'unpacking a newer criu for the hosts', expected: '30 s' }
  const layers = await Promise.all([
    layer(debian, 'setup', setup, log),
    layer(debian, 'newer-criu', criu, log, async () => [await debianMirror()]),
    layer(debian, 'workloads', { label: 'installing what people run on the hosts', expected: '30 s' }, log),
  ])
  return [...layers, debian]
}
