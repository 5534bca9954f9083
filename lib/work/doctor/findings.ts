import { bytesText } from '../../base/bytes.ts'
import { GET_NEWER, movesSockets } from '../migrate/preflight/criu-version.ts'
import type { Checkup, Examined } from './checkup.ts'

/** One thing that was looked at. What is `missing` keeps a process from being moved; what is `optional` does not. */
export type Finding = {
  check: string
  state: 'fine' | 'missing' | 'optional'
  says: string
  /** What to install or to set. */
  todo?: string
}

/** Below so much free disk or memory hardly anything can be moved. */
const LEAST_BYTES = 2 ** 30
/** Packages of Debian and Ubuntu by the programs that are wanted of them. */
const PACKAGES: Readonly<Record<string, string>> = {
  awk: 'mawk',
  find: 'findutils',
  xargs: 'findutils',
  flock: 'util-linux',
  setsid: 'util-linux',
  getent: 'libc-bin',
  grep: 'grep',
  ps: 'procps',
  sed: 'sed',
  ss: 'iproute2',
  tar: 'tar',
}
const CRIU =
  '`apt install criu`; Debian 12 and Ubuntu have an old one or none: take it from Debian 13 or from criu.org'

/** What a machine needs for processes to be moved from it or to it, in the order in which it is best put right. */
export function findingsOf(examined: Examined): Finding[] {
  if (!examined.reached) {
    const todo = 'see whether `ssh HOST true` works without a question, and add your key there'
    return [{ check: 'reached', state: 'missing', says: examined.reason, todo }]
  }
  const { checkup } = examined
  const system: Finding = {
    check: 'system',
    state: checkup.os === 'Linux' ? 'fine' : 'missing',
    says: `${checkup.os} ${checkup.kernel} on ${checkup.arch}`,
    ...(checkup.os === 'Linux' ? {} : { todo: 'processes move between Linux machines only' }),
  }
  if (checkup.os !== 'Linux') return [system]
  return [
    system,
    root(checkup),
    tools(checkup),
    ...criu(checkup),
    kernel(checkup),
    ...room(checkup),
    tailscale(checkup),
  ]
}

function finding(check: string, ok: boolean, says: string, todo: string): Finding {
  return ok ? { check, state: 'fine', says } : { check, state: 'missing', says, todo }
}

function root({ root: isRoot, user }: Checkup): Finding {
  const todo = `let it: \`echo '${user} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/${user}\``
  return finding(
    'root',
    isRoot,
    isRoot ? 'root, or sudo without a password' : `${user} needs a password for sudo`,
    todo,
  )
}

function tools({ missing, gnu }: Checkup): Finding {
  const packages = new Set(missing.map((name) => PACKAGES[name] ?? 'coreutils'))
  if (!gnu) packages.add('findutils').add('coreutils')
  const says = missing.length > 0 ? `no ${missing.join(', ')}` : gnu ? 'all there' : 'not those of GNU'
  return finding('programs', missing.length === 0 && gnu, says, `\`apt install ${[...packages].join(' ')}\``)
}

function criu({ criu: found, root: isRoot }: Checkup): Finding[] {
  if (!found) return [finding('criu', false, 'not installed', CRIU)]
  const { version } = found
  const there: Finding = movesSockets(found)
    ? { check: 'criu', state: 'fine', says: version }
    : {
        check: 'criu',
        state: 'optional',
        says: `${version}: moves nothing that has a socket of the network`,
        todo: `4.2 or newer does: ${GET_NEWER}`,
      }
  const todo = isRoot
    ? 'a newer criu or kernel; `criu check --all` as root tells more'
    : 'criu can only look as root'
  return [there, finding('criu check', found.ok, found.line || 'says nothing', todo)]
}

function kernel({ children, mappings }: Checkup): Finding {
  const lacks = [
    children ? [] : ['CONFIG_PROC_CHILDREN'],
    mappings ? [] : ['CONFIG_CHECKPOINT_RESTORE'],
  ].flat()
  const says = lacks.length === 0 ? 'tells of children and of mapped files' : `lacks ${lacks.join(', ')}`
  return finding(
    'kernel',
    lacks.length === 0,
    says,
    'a kernel of the distribution has them; root may be needed to see',
  )
}

function room({ diskBytes, memoryBytes, writable }: Checkup): Finding[] {
  const disk = diskBytes ?? 0
  const free = `${bytesText(disk)} free`
  return [
    writable
      ? finding('/var/lib', disk >= LEAST_BYTES, free, 'make room: images of processes are kept there')
      : finding(
          '/var/lib',
          false,
          `${free}, not writable`,
          'root is needed, and a file system that is not read-only',
        ),
    finding(
      'memory',
      (memoryBytes ?? 0) >= LEAST_BYTES / 4,
      `${bytesText(memoryBytes ?? 0)} to give`,
      'end something there',
    ),
  ]
}

function tailscale({ tailscale: runs }: Checkup): Finding {
  return runs
    ? { check: 'tailscale', state: 'fine', says: 'runs' }
    : {
        check: 'tailscale',
        state: 'optional',
        says: 'does not run',
        todo: 'only --via taildrop needs it there',
      }
}
