import type { Ancestor } from '../../../../lib/machine/ancestry.ts'
import type {
  OpenFile,
  SourceFacts,
  TargetFacts,
  TargetPath,
  TaskFacts,
} from '../../../../lib/work/migrate/facts/facts.ts'

/** A Python counter in `/home/ada`, with its log, and a machine that has all it needs. Every call gives new ones. */

export const PYTHON = '/usr/bin/python3'
export const LOG = '/home/ada/log'
const machine = {
  arch: 'x86_64',
  kernel: '6.12.1-amd64',
  bootId: '3dcc2411-cc9e-4e6b-8212-fdac3e92ddc5.7',
  identity: '3dcc2411-cc9e-4e6b-8212-fdac3e92ddc5.1',
  memoryBytes: 2 ** 33,
  diskBytes: 2 ** 34,
  criu: { version: '4.1.1', check: { ok: true, line: 'Looks good.' } },
}

/** Process 1. */
export const FIRST: Ancestor = {
  pid: 1,
  command: 'systemd',
  terminal: 0,
  input: '/dev/null',
  line: '/sbin/init',
  image: '1',
}

export function file(link: string, changes: Partial<OpenFile> = {}): OpenFile {
  return {
    link,
    deleted: false,
    kind: 'file',
    identity: `1:${BigInt(`0x${Buffer.from(link).toString('hex') || '0'}`)}`,
    sizeBytes: 10,
    links: 1,
    device: { major: 0, minor: 0 },
    writable: false,
    fd: 3,
    append: false,
    locks: [],
    watches: [],
    ...changes,
  }
}

export function task(changes: Partial<TaskFacts> = {}): TaskFacts {
  return {
    pid: 500,
    parent: 1,
    group: 500,
    session: 500,
    terminal: 0,
    startTicks: 1000,
    state: 'S',
    kernel: false,
    uid: 1000,
    command: 'python3',
    threads: [500],
    tracer: 0,
    memoryBytes: 2 ** 24,
    imageBytes: 2 ** 23,
    cgroups: ['/user.slice/user-1000.slice/session-3.scope'],
    namespaces: [],
    exe: PYTHON,
    cwd: '/home/ada',
    root: '/',
    open: [
      file('/dev/null', { kind: 'character', device: { major: 1, minor: 3 }, fd: 0 }),
      file(LOG, { writable: true, append: true, fd: 1 }),
    ],
    mapped: [{ ...file(PYTHON), range: '400000-420000' }],
    ...changes,
  }
}

export function source(changes: Partial<SourceFacts> = {}): SourceFacts {
  return {
    ...machine,
    host: 'laptop',
    uid: 1000,
    pid: 500,
    tree: [task()],
    changing: false,
    ancestors: [FIRST],
    line: [900, 901, 1],
    users: { 1000: 'ada' },
    sockets: [],
    systemV: [],
    outside: [],
    sharers: [],
    files: {
      [PYTHON]: { sizeBytes: 10, modified: 0, sha256: hash('python') },
      [LOG]: { sizeBytes: 10, modified: 0, sha256: hash('log') },
    },
    databases: [],
    attributes: [],
    ownCgroups: ['/'],
    modes: { [PYTHON]: 0o755, [LOG]: 0o644, '/home/ada': 0o755, '/': 0o755 },
    limited: [],
    overlays: ['0:63'],
    cpuinfo: 'aaaa',
    ...changes,
  }
}

export function there(changes: Partial<TargetPath> = {}): TargetPath {
  return { kind: 'file', sizeBytes: 10, mode: 0o644, uid: 0, gid: 0, ...changes }
}

export const FOLDER = there({ kind: 'directory', mode: 0o755 })

export function target(changes: Partial<TargetFacts> = {}): TargetFacts {
  return {
    ...machine,
    identity: '99992411-cc9e-4e6b-8212-fdac3e92ddc5.1',
    host: 'server',
    paths: {
      '/': FOLDER,
      '/home': FOLDER,
      '/home/ada': FOLDER,
      '/usr': FOLDER,
      '/usr/bin': FOLDER,
      [PYTHON]: there({ mode: 0o755, sha256: hash('python') }),
    },
    taken: [],
    mostPid: 4_194_303,
    users: [{ uid: 1000, nameThere: 'ada', uidThere: 1000 }],
    tools: ['taskset', 'ionice', 'chrt', 'setarch', 'setpriv', 'realtime'],
    cpus: '0-3',
    cpu: { ok: true, line: '' },
    ...changes,
  }
}

/** Something that looks like a SHA-256 of a name. */
export function hash(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0')
}
