import fc from 'fast-check'
import { expect, test } from 'vitest'
import type {
  OpenFile,
  SourceFacts,
  TargetFacts,
  TaskFacts,
} from '../../../../lib/work/migrate/facts/facts.ts'
import { filesToShip, refusals, sizes, wantedOf } from '../../../../lib/work/migrate/preflight.ts'
import type { Ancestor } from '../../../../lib/machine/ancestry.ts'
import { file, FIRST, FOLDER, hash, LOG, PYTHON, source, target, task, there } from './snapshots.ts'

const codes = (from: SourceFacts, to?: TargetFacts, options = {}) =>
  refusals(from, to, { copyFiles: true, force: false, ...options }).map(({ code }) => code)

/** A source whose only process is changed so. */
const changed = (changes: Partial<TaskFacts>, others: Partial<SourceFacts> = {}) =>
  source({ tree: [task(changes)], ...others })
/** A source whose only process has this open besides. */
const opening = (link: string, changes: Partial<OpenFile> = {}, others: Partial<SourceFacts> = {}) =>
  changed({ open: [...task().open, file(link, { fd: 9, ...changes })] }, others)
const socket = (facts: object, others: Partial<SourceFacts> = {}) =>
  opening(
    'socket:[77]',
    { kind: 'socket', deleted: true },
    { sockets: [{ inode: '77', ...facts }], ...others },
  )
const character = (major: number, minor: number) => ({ kind: 'character' as const, device: { major, minor } })
const outside = (inode: string) => ({ outside: [{ inode, pid: 7, command: 'cat' }] })
const above = (changes: Partial<Ancestor>): Ancestor => ({
  pid: 7,
  command: 'sh',
  terminal: 34_816,
  input: '/dev/pts/0',
  line: 'sh',
  image: '7',
  ...changes,
})
const gone = { deleted: true, links: 0 }
const mapping = (link: string, changes: Partial<OpenFile> = {}) =>
  changed({ mapped: [...task().mapped, { ...file(link, changes), range: '1-2' }] })

test('a plain program is refused for nothing, at neither end', () => {
  expect(codes(source())).toEqual([])
  expect(codes(source(), target())).toEqual([])
})

test.each<[code: string, red: SourceFacts, green: SourceFacts]>([
  ['first-process', changed({ pid: 1 }), changed({ pid: 2, group: 2, session: 2, threads: [2] })],
  ['kernel-thread', changed({ kernel: true }), changed({ command: 'kworker' })],
  ['own-session', source({ line: [900, 500, 1] }), source({ line: [900, 501, 1] })],
  ['sshd', changed({ command: 'sshd' }), changed({ command: 'sshdx' })],
  ['other-user', changed({ uid: 0 }), changed({ uid: 0 }, { uid: 0 })],
  ['no-process', changed({ state: 'Z' }), changed({ state: 'T' })],
  ['pid-namespace', changed({ namespaces: ['pid', 'mnt'] }), changed({ namespaces: [] })],
  ['memory-outside', source({ sharers: [{ pid: 7, command: 'reader' }] }), source()],
  [
    'sqlite',
    opening('/home/ada/notes', { writable: true }, { databases: ['/home/ada/notes'] }),
    changed({}, { databases: ['/home/ada/notes'] }),
  ],
  [
    'service',
    changed({ cgroups: ['/system.slice/nginx.service'] }),
    changed({ cgroups: ['/system.slice/cron.service'] }),
  ],
  [
    'service',
    changed({ cgroups: ['/', '/user.slice/user@1.service/app.slice/a.service/x'] }),
    changed({ cgroups: ['/user.slice/user@1.service/tmux-spawn-1.scope', '/'] }),
  ],
  [
    'service',
    changed({ cgroups: ['/user.slice/user-1.slice/user@1.service/app.slice/run-r12.scope'] }),
    changed({ cgroups: ['/user.slice/user-1.slice/user@1.service/app.slice/app-org.kde.konsole-7.scope'] }),
  ],
  [
    'watched',
    source({ ancestors: [above({ command: 'supervisord' }), FIRST] }),
    source({ ancestors: [above({ command: 'bash', line: 'bash -l' }), FIRST] }),
  ],
  ...[
    { line: 'sh -c until_it_ends' },
    { line: '/bin/bash /srv/run.sh' },
    { line: 'bash -ec loop', command: 'bash' },
    { line: 'fish --command=loop', command: 'fish' },
    { command: 'busybox', line: '/bin/busybox sh /etc/run' },
    { terminal: 0, input: '/dev/null' },
    { input: '/home/ada/script' },
    { input: '' },
    { command: 'make', line: 'make -j 4' },
    { command: 'xargs', line: 'xargs -n 1 work' },
    { command: 'watch', line: 'watch work' },
    { command: 'perl', line: 'perl /usr/bin/parallel work' },
    { command: 'setsid', line: 'setsid -w work' },
    { command: 'cron', line: '/usr/sbin/CRON -f' },
    { command: 'python3', line: 'python3 supervisor.py' },
  ].map((who): [string, SourceFacts, SourceFacts] => [
    'watched',
    source({ ancestors: [above(who), FIRST] }),
    source({ ancestors: [above({}), above({ ...who, image: '8' }), FIRST] }),
  ]),
  [
    'watched',
    source({ ancestors: [above({ pid: 8 }), above({}), FIRST] }),
    source({ ancestors: [above({ pid: 8, image: '8' }), above({}), FIRST] }),
  ],
  ...[
    { line: '-bash', command: 'bash' },
    { line: 'bash --rcfile /home/ada/rc -i', command: 'bash' },
    { line: 'busybox ash -l', command: 'busybox' },
    { line: 'zsh -o vi', command: 'zsh', input: '/dev/tty1' },
    { command: 'systemd', terminal: 0, line: '/usr/lib/systemd/systemd --user' },
  ].map((who): [string, SourceFacts, SourceFacts] => [
    'watched',
    source({ ancestors: [above({ command: 'make' }), above(who), FIRST] }),
    source({ ancestors: [above(who), above({ command: 'login' }), FIRST] }),
  ]),
  [
    'session-outside',
    source({ tree: [task(), task({ pid: 501, parent: 500, threads: [501], session: 499 })] }),
    changed({ session: 499 }),
  ],
  [
    'group-outside',
    source({ tree: [task(), task({ pid: 501, parent: 500, threads: [501], group: 499 })] }),
    source({
      tree: [task({ group: 499 }), task({ pid: 501, parent: 500, threads: [501], group: 499 })],
    }),
  ],
  ['traced', changed({ tracer: 7 }), changed({ tracer: 0 })],
  ['throttled', source({ limited: [500] }), source({ limited: [501] })],
  [
    'pipe-outside',
    opening('pipe:[5]', { kind: 'pipe' }, outside('5')),
    opening('pipe:[5]', { kind: 'pipe' }, outside('6')),
  ],
  [
    'pipe-outside',
    opening('/tmp/fifo', { kind: 'pipe', identity: '9:5' }, outside('9:5')),
    opening('/tmp/fifo', { kind: 'pipe', identity: '9:5' }, outside('5')),
  ],
  ['unix-socket-outside', socket({ table: 'unix', peer: '78' }), socket({ table: 'unix', peer: '77' })],
  ['unix-socket-outside', socket({ table: 'unix' }), socket({ table: 'unix', peer: '0' })],
  [
    'unix-socket-outside',
    socket({ table: 'unix', peer: '0' }, outside('77')),
    socket({ table: 'unix', peer: '0' }, outside('76')),
  ],
  ['tcp-socket', socket({ table: 'tcp6', state: '0A', port: 80 }), socket({ table: 'netlink' })],
  ['udp-socket', socket({ table: 'udp', state: '01', port: 80 }), socket({ table: 'netlink' })],
  ['raw-socket', socket({ table: 'packet' }), socket({ table: 'netlink' })],
  ['unknown-socket', socket({}), socket({ table: 'netlink' })],
  [
    'io-uring',
    opening('anon_inode:[io_uring]', { kind: 'other' }),
    opening('anon_inode:[eventpoll]', { kind: 'other' }),
  ],
  ['io-uring', mapping('anon_inode:[io_uring]'), mapping('/memfd:x (deleted)', gone)],
  ['userfaultfd', opening('anon_inode:[userfaultfd]'), opening('anon_inode:[timerfd]')],
  ['posix-mqueue', opening('mqueue', { deleted: true }), opening('/mqueue')],
  ['perf', opening('anon_inode:[perf_event]'), opening('anon_inode:[eventfd]')],
  ['unknown-file', opening('anon_inode:kvm-vm'), opening('anon_inode:inotify')],
  [
    'unknown-file',
    opening('anon_inode:[pidfd]', { pidfd: 7 }),
    opening('anon_inode:[pidfd]', { pidfd: 500 }),
  ],
  ['unknown-file', opening('mnt:[4026531841]'), opening('anon_inode:[signalfd]')],
  ['device', opening('/dev/net/tun', character(10, 200)), opening('/dev/urandom', character(1, 9))],
  ['device', opening('/dev/sda', { kind: 'block' }), opening('/dev/zero', character(1, 5))],
  [
    'device',
    mapping('/dev/dri/card0', character(226, 0)),
    mapping('/dev/zero (deleted)', { ...gone, sizeBytes: 2 ** 30 }),
  ],
  ['sysv-ipc', source({ systemV: [{ kind: 'sem', id: 0 }] }), source()],
  ['sysv-shm', mapping('/SYSV00000000 (deleted)', gone), mapping('/memfd:SYSV (deleted)', gone)],
  [
    'deleted-file',
    opening('/tmp/x (deleted)', { ...gone, sizeBytes: 2 ** 30 + 1 }),
    opening('/tmp/x (deleted)', { ...gone, sizeBytes: 2 ** 30 }),
  ],
  [
    'deleted-file',
    opening('/tmp/x (deleted)', { deleted: true, links: 1 }),
    opening('/tmp/x (deleted)', gone),
  ],
  [
    'deleted-file',
    mapping('/usr/lib/old.so (deleted)', { ...gone, sizeBytes: 2 ** 31 }),
    mapping('/usr/bin/python3'),
  ],
  [
    'inotify-overlayfs',
    opening('anon_inode:inotify', { watches: ['0:63'] }),
    opening('anon_inode:inotify', { watches: ['0:64'] }),
  ],
  ['odd-path', opening('/tmp/\uFFFD'), opening('/tmp/ü')],
  ['criu-check', source({ criu: { version: '4', check: { ok: false, line: 'no' } } }), source()],
  ['disk', source({ diskBytes: 2 ** 20 }), source({ diskBytes: 2 ** 24 })],
])('%s: the source is refused, and one that differs in that alone is not', (code, red, green) => {
  expect(codes(red)).toEqual([code])
  expect(codes(green)).toEqual([])
})

test('a source without criu is refused', () => {
  const { criu: _criu, ...without } = source()
  expect(codes(without)).toEqual(['no-criu'])
})

/** A source that has this file open besides, with this content. */
const using = (path: string, changes: Partial<OpenFile> = {}) => {
  const from = opening(path, changes)
  const content = { [path]: { sizeBytes: 10, modified: 0, sha256: hash('here') } }
  return { ...from, files: { ...from.files, ...content }, modes: { ...from.modes, [path]: 0o644 } }
}
const having = (path: string, changes: object = {}) =>
  target({ paths: { ...target().paths, [path]: there({ sha256: hash('here'), ...changes }) } })
const DATA = '/home/ada/data'
const LIBRARY = '/usr/lib/libx.so'

test.each<[code: string, from: SourceFacts, red: TargetFacts, green: TargetFacts]>([
  ['criu-check', source(), target({ criu: { version: '4.1.1', check: { ok: false, line: '' } } }), target()],
  [
    'criu-version',
    source(),
    target({ criu: { version: '4.0', check: { ok: true, line: '' } } }),
    target({ criu: { version: '4.10', check: { ok: true, line: '' } } }),
  ],
  ['same-machine', source(), target({ identity: source().identity }), target()],
  ['arch', source(), target({ arch: 'aarch64' }), target()],
  ['kernel', source(), target({ kernel: '6.9.30' }), target({ kernel: '6.12.0-rc1' })],
  [
    'cpu',
    source(),
    target({ cpu: { ok: false, line: 'no avx512' } }),
    target({ cpu: { ok: true, line: '' } }),
  ],
  ['memory', source(), target({ memoryBytes: 1.19 * 2 ** 24 }), target({ memoryBytes: 1.2 * 2 ** 24 + 1 })],
  ['disk', source(), target({ diskBytes: 2 ** 23 }), target({ diskBytes: 2 ** 24 })],
  ['pid-taken', source(), target({ taken: [500] }), target({ taken: [] })],
  ['pid-range', source(), target({ mostPid: 499 }), target({ mostPid: 500 })],
  ['no-user', source(), target({ users: [{ uid: 1000 }] }), target()],
  ['no-user', source(), target({ users: [{ uid: 1000, nameThere: 'bob', uidThere: 1001 }] }), target()],
  ['no-user', source(), target({ users: [{ uid: 1000, nameThere: 'bob', uidThere: 1000 }] }), target()],
  ['file-missing', using(LIBRARY), target(), having(LIBRARY)],
  ['file-missing', using(DATA), having(DATA, { kind: 'directory' }), having(DATA)],
  ['file-followed', { ...using(DATA), watchedPaths: [{ path: DATA, kind: 'file' }] }, target(), having(DATA)],
  ['file-size', using(DATA), having(DATA, { sizeBytes: 11, sha256: hash('else') }), having(DATA)],
  ['file-content', using(DATA), having(DATA, { sha256: hash('else') }), having(DATA)],
  [
    'file-content',
    using(LIBRARY),
    having(LIBRARY, { sha256: hash('else'), left: hash('else') }),
    having(LIBRARY),
  ],
  [
    'file-content',
    using(DATA),
    having(DATA, { sha256: hash('else'), left: hash('third') }),
    having(DATA, { sha256: hash('else'), left: hash('else') }),
  ],
  ['file-content', using(DATA, { writable: true }), having(DATA, { sha256: hash('else') }), having(DATA)],
  ['file-mode', using(DATA), having(DATA, { mode: 0o600 }), having(DATA)],
  [
    'file-mode',
    using('/home/ada', { kind: 'directory' }),
    having('/home/ada', { ...FOLDER, mode: 0o700 }),
    having('/home/ada', { ...FOLDER, mode: 0o644 }),
  ],
  [
    'unix-socket-path',
    socket({ table: 'unix', peer: '0', path: '/home/ada/s' }),
    having('/home/ada/s', { kind: 'socket' }),
    target(),
  ],
])('%s: the target is refused, and one that differs in that alone is not', (code, from, red, green) => {
  const found = refusals(from, red, { copyFiles: true, force: false })
  expect(found).toMatchObject([{ code, at: 'target' }])
  expect(codes(from, green)).toEqual([])
})

test('a target without criu is refused, and one whose CPU nobody can compare is not', () => {
  const { criu: _criu, ...without } = target()
  expect(codes(source(), without)).toEqual(['no-criu'])
  const { cpu: _cpu, ...untold } = target()
  expect(codes(source(), untold)).toEqual([])
})

test('a user without a name here can be nobody there', () => {
  expect(codes(source({ users: {} }), target())).toEqual(['no-user'])
})

test('content that could not be read is never taken for the same', () => {
  const from = using(DATA)
  from.files[DATA] = { sizeBytes: 10, modified: 0 }
  expect(codes(from, having(DATA))).toEqual(['file-content'])
  const { sha256: _hash, ...unread } = there()
  expect(codes(using(DATA), target({ paths: { ...target().paths, [DATA]: unread } }))).toEqual([
    'file-content',
  ])
})

test('what is written to in a folder of the system is refused even where it is the same', () => {
  expect(codes(using(LIBRARY, { writable: true }), having(LIBRARY))).toEqual(['file-written'])
})

test('without --copy-files a file that is written to is refused even where it is the same, with the advice', () => {
  const to = target({ paths: { ...target().paths, [LOG]: there({ sha256: hash('log') }) } })
  const found = refusals(source(), to, { copyFiles: false, force: false })
  expect(found).toMatchObject([{ code: 'file-written', advice: expect.stringContaining('--copy-files') }])
  expect(codes(source(), target(), { copyFiles: false })).toEqual(['file-missing'])
})

test('a process that must not be touched is refused for that alone; force does away with the user only', () => {
  const both = changed({ pid: 1, uid: 7, terminal: 34_816, tracer: 3 })
  expect(codes(both, target())).toEqual(['first-process'])
  expect(codes(changed({ uid: 0 }, { users: { 0: 'root' } }), undefined, { force: true })).toEqual([])
  expect(codes(changed({ command: 'sshd', uid: 0 }), undefined, { force: true })).toEqual(['sshd'])
  const child = task({ pid: 501, parent: 500, threads: [501], uid: 0 })
  expect(codes(source({ tree: [task(), child] }))).toEqual(['other-user'])
})

test.each([
  ['the parent, where nobody else waits', [above({ pid: 7, command: 'make' })], 'PID 7 \\(make\\) with all'],
  [
    'who waits for the parent, below a shell at its prompt',
    [above({ pid: 9, command: 'setsid' }), above({ pid: 8, line: 'sh x' }), above({ pid: 7 })],
    'PID 8 \\(sh\\) with all',
  ],
  [
    'who waits, but not cron itself',
    [
      above({ pid: 9, line: 'sh -c x' }),
      above({ pid: 8, command: 'cron' }),
      above({ pid: 7, command: 'cron' }),
    ],
    'PID 9 \\(sh\\) with all',
  ],
  ['how to start it, where only cron waits', [above({ command: 'CRON' })], 'start it with `setsid'],
])('what is to be moved instead of who is waited for: %s', (_, ancestors, advice) => {
  const [refusal] = refusals(source({ ancestors }), undefined, { copyFiles: true, force: false })
  expect(refusal).toMatchObject({ code: 'watched', advice: expect.stringMatching(new RegExp(advice)) })
})

test.each([
  [
    '/system.slice/nginx.service',
    'nginx.service, which systemd would start again here',
    '`systemctl stop nginx.service` here, and `systemctl start nginx.service` there',
  ],
  [
    '/user.slice/user@1.service/app.slice/train.service',
    'train.service, which systemd --user would start again here',
    '`systemctl --user stop train.service` here, and `systemctl --user start train.service` there',
  ],
  [
    '/user.slice/user@1.service/app.slice/run-r12.scope',
    'run-r12.scope, a scope of systemd --user, with its limits',
    '`systemctl --user stop run-r12.scope` here, and `systemd-run --user --scope PROGRAM` there',
  ],
  [
    '/system.slice/a\\x2db.service',
    'a\\x2db.service, which systemd would start again here',
    "`systemctl stop 'a\\x2db.service'` here, and `systemctl start 'a\\x2db.service'` there",
  ],
  [
    '/system.slice/$(x).service',
    '$(x).service, which systemd would start again here',
    '`systemctl stop UNIT` here, and `systemctl start UNIT` there',
  ],
])(
  'a unit is refused by its name, with what stops it here and starts it there: %s',
  (cgroup, why, advice) => {
    const [refusal] = refusals(changed({ cgroups: [cgroup] }), undefined, { copyFiles: true, force: false })
    expect(refusal).toMatchObject({
      code: 'service',
      sentence: `PID 500 (python3) belongs to ${why}`,
      advice,
    })
  },
)

test('every sentence is one line, and has nothing of what a terminal would act on', () => {
  const hostile = '/home/ada/\u001B[2J\nx\u202E'
  const name = { command: '\u001B]0;x\u0007\n' }
  const from = changed({
    ...name,
    tracer: 7,
    cgroups: ['/\u001B[31m.service'],
    open: [
      file(hostile, { locks: ['1: FLOCK'] }),
      file('/dev/\u001B[1m', { kind: 'block' }),
      file('mnt:\u001B[2J'),
    ],
  })
  const all = refusals({ ...from, ancestors: [above(name)] }, target(), { copyFiles: false, force: false })
  expect(all.length).toBeGreaterThan(5)
  for (const { sentence, advice = '' } of all)
    expect(sentence + advice).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E]/)
})

test('what is shipped: what is missing or as an earlier migration left it, and what is written to, with its folders', () => {
  const deep = using('/srv/a/b/new', { writable: true })
  const to = target({
    paths: { ...target().paths, [LOG]: there({ sizeBytes: 4, sha256: hash('old'), left: hash('old') }) },
  })
  expect(filesToShip(deep, to, true)).toEqual({
    ship: [LOG, '/srv/a/b/new'],
    folders: ['/srv', '/srv/a', '/srv/a/b'],
    known: [hash('old')],
    bytes: 20,
  })
  expect(filesToShip(deep, to, false)).toEqual({ ship: [], folders: [], known: [], bytes: 0 })
  expect(filesToShip(source(), target({ paths: { '/': FOLDER } }), true)).toMatchObject({
    ship: [LOG],
    folders: ['/home', '/home/ada'],
  })
})

test.each(['/usr/local/bin/x', '/lib64/x', '/etc/x', '/opt/x', '/dev/x', '/sbin/x'])(
  '%s is of the system: never shipped',
  (path) => {
    expect(filesToShip(using(path), target(), true).ship).toEqual([LOG])
    expect(codes(using(path), target())).toEqual(['file-missing'])
  },
)
test.each(['/dev/shm/x', '/tmp/x', '/home/ada/x', '/srv/x', '/library/x', '/usrlocal/x'])(
  "%s is the person's own: shipped where it is missing",
  (path) => {
    expect(filesToShip(using(path), target(), true).ship).toEqual([LOG, path])
    expect(codes(using(path), target())).toEqual([])
  },
)

test('who writes to a file by one of its names writes to it by all, and all go along', () => {
  const same = { identity: '9:9' }
  const open = [file('/srv/one', { ...same, writable: true }), file('/srv/two', same)]
  const files = { ...source().files, '/srv/two': { sizeBytes: 10, modified: 0, sha256: hash('here') } }
  const from = changed({ open: [...task().open, ...open] }, { files })
  const to = having('/srv/two', { sha256: hash('here') })
  expect(filesToShip(from, to, true).ship).toEqual([LOG, '/srv/one', '/srv/two'])
})

test('a file is shipped only if nothing would be lost there, whatever is there', () => {
  const content = fc.constantFrom('here', 'a', 'b')
  const found = fc.record({
    writable: fc.boolean(),
    copyFiles: fc.boolean(),
    there: fc.option(
      fc.record({
        content,
        left: fc.option(content, { nil: undefined }),
        mode: fc.constantFrom(0o644, 0o600),
      }),
    ),
  })
  fc.assert(
    fc.property(found, ({ writable, copyFiles, there: it }) => {
      const left = it?.left === undefined ? {} : { left: hash(it.left) }
      const to = it ? having(DATA, { sha256: hash(it.content), mode: it.mode, ...left }) : target()
      const shipment = filesToShip(using(DATA, { writable }), to, copyFiles)
      const refused = refusals(using(DATA, { writable }), to, { copyFiles, force: false }).some(
        ({ sentence }) => sentence.includes(DATA),
      )
      if (shipment.ship.includes(DATA)) {
        expect(copyFiles && !refused).toBe(true)
        if (it) expect(it.content === 'here' || it.content === it.left).toBe(true)
        if (it) expect(shipment.known).toEqual([hash(it.content)])
      } else if (!refused) expect(it).toMatchObject({ content: 'here', mode: 0o644 })
    }),
    { numRuns: 300 },
  )
})

test('the target is asked about every path with the folders above it, every number and every user, each once', () => {
  const child = task({ pid: 501, parent: 500, group: 501, threads: [501, 502] })
  expect(wantedOf(source({ tree: [task(), child] }))).toEqual({
    paths: ['/usr', '/usr/bin', PYTHON, '/home', '/home/ada', '/', LOG],
    numbers: [500, 501, 502],
    users: [{ uid: 1000, name: 'ada' }],
    cpuinfo: 'aaaa',
    ports: [],
  })
})

test('sizes are those of the whole tree', () => {
  const two = source({ tree: [task(), task({ pid: 501, parent: 500 })] })
  expect(sizes(two).memoryBytes).toBe(2 ** 25)
  expect(sizes(two).imageBytes).toBeGreaterThan(2 ** 24)
})
