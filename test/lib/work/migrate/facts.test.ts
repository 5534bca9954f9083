import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BadFacts } from '../../../../lib/work/migrate/facts/records.ts'
import { parseSource } from '../../../../lib/work/migrate/facts/source-answer.ts'
import { parseTarget } from '../../../../lib/work/migrate/facts/target-answer.ts'

const BOOT = '3dcc2411-cc9e-4e6b-8212-fdac3e92ddc5.12'
const HASH = '5'.repeat(64)

/** An answer as the scripts print it. */
function answer(sections: Record<string, readonly string[]>): string {
  return Object.entries(sections)
    .map(([name, items]) => [name, ...items, ''].map((record) => `${record}\0`).join(''))
    .join('')
}

const MACHINE = {
  arch: ['x86_64'],
  kernel: ['6.12.1+deb13-amd64'],
  boot: [BOOT],
  identity: [BOOT],
  memory: ['8589934592'],
  disk: ['17179869184'],
  check: ['0', 'Looks good.'],
  criu: ['4.1.1'],
}
const STAT = `500 (a) b\n(c) S 1 500 500 0 -1 4194304 ${'1 '.repeat(12)}77 1 1 ${'1 '.repeat(28)}`
const STATUS =
  'Name:\ta\nTracerPid:\t0\nUid:\t1000\t1000\t1000\t1000\nVmRSS:\t      20 kB\nRssAnon:\t 8 kB\nVmSwap:\t 4 kB\n'

const SOURCE = {
  line: ['900', '1'],
  tree: ['500', '501'],
  uid: ['1000'],
  ancestors: [
    '7',
    'ba\nsh',
    '34816',
    '=/dev/pts/0',
    '=-bash ',
    '99',
    '1',
    'systemd',
    '0',
    '=',
    '=/sbin/init ',
    '0',
  ],
  ...MACHINE,
  state: [
    `/proc/500/stat:${STAT}`,
    `/proc/500/status:${STATUS}`,
    '/proc/500/cgroup:1:name=systemd:/a:b.service\n0::/\n',
  ],
  threads: ['/proc/500/task/500\n/proc/500/task/502\n'],
  namespaces: [
    '/proc/self/ns pid pid:[1]\n/proc/self/ns mnt mnt:[2]\n/proc/500/ns pid pid:[1]\n/proc/500/ns mnt mnt:[3]\n',
  ],
  places: ['/proc/500/exe', '=/usr/bin/a', '/proc/500/cwd', '=/home/two\nlines', '/proc/500/root', '='],
  links: [
    ['/proc/500/fd/0', '=socket:[77]'],
    ['/proc/500/fd/1', '=/var/log (deleted)'],
    ['/proc/500/fd/2', '=/gone'],
    ['/proc/500/fd/3', '=anon_inode:inotify'],
    ['/proc/500/fd/4', '=/queue'],
    ['/proc/500/map_files/400000-420000', '=/usr/bin/a'],
  ].flat(),
  stats: [
    ['/proc/500/fd/0', 'c1ff 8:77 1 0 0 0'],
    ['/proc/500/fd/1', '81a4 65024:5 0 2000000 0 0'],
    ['/proc/500/fd/3', '180 15:1 1 0 0 0'],
    ['/proc/500/fd/4', '8180 18:5 1 80 0 0'],
    ['/proc/500/map_files/400000-420000', '81ed 65024:9 1 70 0 0'],
    ['/proc/500/cwd', '41ed 65024:3 2 4096 0 0'],
  ].flat(),
  queues: ['19800202 /proc/500/fd/4\n'],
  shared: ['/proc/500/maps:00400000-00420000 rw-s 00000000 fe:01 9  /usr/bin/a\n'],
  fdinfo: [
    '/proc/500/fdinfo/0:flags:\t02\n/proc/500/fdinfo/1:flags:\t0102001\n/proc/500/fdinfo/1:lock:\t1: FLOCK  ADVISORY  WRITE 500 fe:01:5 0 EOF\n' +
      '/proc/500/fdinfo/3:flags:\t00\n/proc/500/fdinfo/3:inotify wd:1 ino:2 sdev:3f mask:2 ignored_mask:0 fhandle-bytes:c fhandle-type:1\n' +
      '/proc/500/fdinfo/4:flags:\t02\n',
  ],
  sockets: ['unix 77 03 /run/a b\n'],
  peers: ['77 78\n'],
  ipc: ['sem 3\nmsg 32769\n'],
  still: ['500 S\n'],
  holders: ['78', '7', 'dbus-daemon'],
  limiters: ['=cpulimit --quiet --pid=500 --limit=20 '],
  overlays: ['0:63\n'],
  users: ['1000', 'ada'],
  cpuinfo: ['aGVsbG8='],
  files: ['/usr/bin/a', '70 1700000000'],
  hashes: [`${HASH}  /usr/bin/a`],
  end: ['yes'],
}
const TARGET = {
  ...MACHINE,
  most: ['4194304'],
  paths: ['/usr/bin/a', '81ed 70 0 0', '/home/two\nlines', '41c0 4096 1000 1000'],
  hashes: [`${HASH}  /usr/bin/a`],
  left: [`${'6'.repeat(64)} /usr/bin/a`, `${HASH} /usr/bin/a`],
  taken: ['500', '502'],
  users: ['1000', '=ada', '=1001', '7', '=', '='],
  cpu: ['1', 'no avx'],
  end: ['yes'],
}

test('the facts of a source, whatever its names hold', () => {
  const facts = parseSource(answer(SOURCE), 'laptop', 500)
  expect(facts).toMatchObject({
    host: 'laptop',
    bootId: BOOT,
    criu: { version: '4.1.1', check: { ok: true, line: 'Looks good.' } },
    ancestors: [
      { pid: 7, command: 'ba\nsh', terminal: 34_816, input: '/dev/pts/0', line: '-bash ', image: '99' },
      { pid: 1, command: 'systemd', terminal: 0, input: '', line: '/sbin/init ', image: '0' },
    ],
    line: [900, 1],
    users: { 1000: 'ada' },
    sockets: [{ inode: '77', table: 'unix', state: '03', path: '/run/a b', peer: '78' }],
    systemV: [
      { kind: 'sem', id: 3 },
      { kind: 'msg', id: 32_769 },
    ],
    outside: [{ inode: '78', pid: 7, command: 'dbus-daemon' }],
    files: { '/usr/bin/a': { sizeBytes: 70, modified: 1_700_000_000, sha256: HASH } },
    modes: { '/usr/bin/a': 0o755, '/home/two\nlines': 0o755 },
    limited: [500],
    overlays: ['0:63'],
    cpuinfo: 'aGVsbG8=',
  })
  const { open, mapped, ...task } = facts.tree[0]
  expect(facts.tree).toHaveLength(1)
  expect(task).toEqual({
    pid: 500,
    parent: 1,
    group: 500,
    session: 500,
    terminal: 0,
    startTicks: 77,
    state: 'S',
    kernel: false,
    uid: 1000,
    command: 'a) b\n(c',
    threads: [500, 502],
    tracer: 0,
    memoryBytes: 24_576,
    imageBytes: 12_288,
    cgroups: ['/a:b.service', '/'],
    namespaces: ['mnt'],
    exe: '/usr/bin/a',
    cwd: '/home/two\nlines',
  })
  expect(open).toMatchObject([
    { fd: 0, kind: 'socket', deleted: true, writable: true, locks: [] },
    { fd: 1, kind: 'file', deleted: true, sizeBytes: 2_000_000, links: 0, writable: true, append: true },
    { fd: 3, kind: 'other', watches: ['0:63'], writable: false },
    { fd: 4, link: 'mqueue', deleted: true },
  ])
  expect(open[1]?.locks).toEqual(['1: FLOCK  ADVISORY  WRITE 500 fe:01:5 0 EOF'])
  expect(mapped).toMatchObject([
    { link: '/usr/bin/a', range: '400000-420000', writable: true, deleted: false },
  ])
})

/** A child that was there at the first look at the tree, as much of it as had been read. */
const CHILD = [
  `/proc/501/stat:501 (c) S 500 ${STAT.slice(STAT.indexOf(' S 1 ') + 5)}`,
  `/proc/501/status:${STATUS}`,
]

test.each([
  ['no other has begun or ended', ['500'], '500 S\n', false, [500]],
  ['one has ended before it was read', ['500', '501'], '500 S\n', true, [500]],
  ['one has ended while it was read', ['500', '501'], '500 R\n501 Z\n', true, [500]],
  ['one has begun', ['500'], '500 S\n502 R\n', true, [500]],
])('of a tree the processes that were there all the time are told: %s', (_, tree, still, changing, pids) => {
  const state = tree.length > 1 && still.includes('501') ? [...SOURCE.state, ...CHILD] : SOURCE.state
  const facts = parseSource(answer({ ...SOURCE, tree, still: [still], state }), 'laptop', 500)
  expect(facts.changing).toBe(changing)
  expect(facts.tree.map(({ pid }) => pid)).toEqual(pids)
})

test('the facts of a target: the last line of a path tells how it was left', () => {
  expect(parseTarget(answer(TARGET), 'server')).toMatchObject({
    mostPid: 4_194_303,
    taken: [500, 502],
    paths: {
      '/usr/bin/a': { kind: 'file', sizeBytes: 70, mode: 0o755, sha256: HASH, left: HASH },
      '/home/two\nlines': { kind: 'directory', mode: 0o700, uid: 1000 },
    },
    users: [{ uid: 1000, nameThere: 'ada', uidThere: 1001 }, { uid: 7 }],
    cpu: { ok: false, line: 'no avx' },
  })
})

test('facts that are cut short anywhere are no facts', () => {
  const whole = answer(SOURCE)
  const there = answer(TARGET)
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (part) => {
      const cut = (text: string) => text.slice(0, Math.floor((text.length - 2) * part))
      expect(() => parseSource(cut(whole), 'n1', 500)).toThrow(BadFacts)
      expect(() => parseTarget(cut(there), 'n1')).toThrow(BadFacts)
    }),
    { numRuns: 500 },
  )
})

test('a machine that prints anything else is told apart, not misread', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(SOURCE)),
      fc.array(fc.string({ minLength: 1 })),
      (name, items) => {
        try {
          parseSource(answer({ ...SOURCE, [name]: items }), 'n1', 500)
        } catch (error) {
          expect(error).toBeInstanceOf(BadFacts)
        }
      },
    ),
    { numRuns: 500 },
  )
})

test.each([
  ['a section that is there twice', answer(SOURCE) + answer({ uid: ['0'] }), /two times uid/],
  ['half an item', answer({ ...SOURCE, users: ['1000'] }), /half an item of users/],
  ['a number that is none', answer({ ...SOURCE, uid: ['0x1'] }), /not uid: 0x1/],
  ['a process that has ended', answer({ ...SOURCE, state: [] }), /PID 500 has ended/],
  [
    'a kernel that hides what is mapped',
    answer({ ...SOURCE, links: [], stats: [] }),
    /what PID 500 has mapped/,
  ],
  ['nothing', '', /nothing of/],
])('%s', (_, output, message) => {
  expect(() => parseSource(output, 'n1', 500)).toThrow(message)
})
