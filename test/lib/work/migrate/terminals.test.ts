import { expect, test } from 'vitest'
import { criuWords } from '../../../../lib/work/migrate/preflight/criu-options.ts'
import type {
  OpenFile,
  SourceFacts,
  TargetFacts,
  TaskFacts,
} from '../../../../lib/work/migrate/facts/facts.ts'
import {
  changes,
  criuOptions,
  movingTerminal,
  refusals,
  wantedOf,
} from '../../../../lib/work/migrate/preflight.ts'
import { file, source, target, task, there } from './snapshots.ts'

// /dev/pts/0 and /dev/pts/300, as the kernel packs them in /proc/PID/stat.
const PTS0 = 136 << 8
const PTS300 = (136 << 8) | (1 << 20) | (300 & 0xff)

const codes = (from: SourceFacts, to?: TargetFacts, withTerminals?: boolean) =>
  refusals(from, to, {
    copyFiles: true,
    force: false,
    ...(withTerminals === undefined ? {} : { withTerminals }),
  }).map(({ code }) => code)
const pts = (index: number, fd = 0): OpenFile =>
  file(`/dev/pts/${index}`, { kind: 'character', device: { major: 136, minor: index }, fd, identity: '86:3' })
const devTty = file('/dev/tty', { kind: 'character', device: { major: 5, minor: 0 }, fd: 3 })
const ptmx = (index: number) =>
  file('/dev/pts/ptmx', { kind: 'character', device: { major: 5, minor: 2 }, fd: 5, terminal: index })
const [, log] = task().open
if (!log) throw new RangeError('a task without a log')

/** A process that a shell with the number 400 has started at a terminal. */
const job = (more: Partial<TaskFacts> = {}) =>
  task({ terminal: PTS0, session: 400, open: [pts(0), pts(0, 1), pts(0, 2)], ...more })
/** A shell that leads the session of its terminal. */
const shell = (more: Partial<TaskFacts> = {}) => job({ command: 'bash', session: 500, ...more })
const from = (root: TaskFacts, ...others: TaskFacts[]) =>
  source({ tree: [root, ...others], terminals: { '/dev/pts/0': { rows: 30, columns: 100 } } })

test.each<[what: string, from: SourceFacts, codes: string[]]>([
  ['a job of a shell', from(job()), []],
  ['one in the background, with nothing of it open', from(job({ open: [log] })), []],
  ['one whose group another leads, which stays', from(job({ group: 399 })), []],
  ['one that reads from /dev/tty', from(job({ open: [log, devTty] })), []],
  ['one with children in its session', from(job(), job({ pid: 501, threads: [501] })), []],
  [
    'one with a child in the session of a stranger',
    from(job(), job({ pid: 501, threads: [501], session: 77 })),
    ['session-outside'],
  ],
  [
    'one with a child in the group of a stranger',
    from(job(), job({ pid: 501, threads: [501], group: 77 })),
    ['group-outside'],
  ],
  ['a program that has left the terminal, and prints to it', from(task({ open: [pts(0, 1)] })), []],
  ['a whole shell', from(shell()), []],
  [
    'a whole shell with a job',
    from(shell(), job({ pid: 501, threads: [501], session: 500, group: 501 })),
    [],
  ],
  ['a shell that does not have its terminal open', from(shell({ open: [log] })), ['terminal']],
  [
    'a whole shell with a job that reads from /dev/tty',
    from(shell(), job({ pid: 501, threads: [501], session: 500, group: 501, open: [devTty] })),
    ['terminal-open'],
  ],
  [
    'a whole shell with another one in it',
    from(
      shell(),
      shell({ pid: 501, threads: [501], group: 501, open: [pts(0), pts(0, 1), pts(0, 2), pts(0, 255)] }),
    ),
    ['terminal-shell'],
  ],
  ['a process with two terminals', from(job({ open: [pts(0), pts(1, 1)] })), ['terminals']],
  ['the same, by control', from(job({ open: [pts(1)] })), ['terminals']],
  [
    'a terminal that has been closed',
    from(job({ open: [{ ...pts(0), deleted: true }] })),
    ['terminal-closed'],
  ],
  ['a console', from(job({ terminal: (4 << 8) | 1, open: [] })), ['terminal-kind']],
  [
    'a serial line that is open only',
    from(task({ open: [file('/dev/ttyS0', { kind: 'character', device: { major: 4, minor: 64 } })] })),
    ['terminal-kind'],
  ],
  ['the other end of a terminal that is its own', from(task({ open: [ptmx(7), pts(7, 6)] })), []],
  [
    'the other end of a terminal that is controlled by it',
    from(task({ open: [ptmx(0)] }), job({ pid: 501, threads: [501], session: 501, group: 501 })),
    [],
  ],
  [
    'the other end of a terminal that a stranger has open',
    { ...from(task({ open: [ptmx(7)] })), onlookers: [{ index: 7, pid: 9, command: 'cat' }] },
    ['terminal-outside'],
  ],
])('%s is refused for what it has, or for nothing', (_, facts, expected) => {
  expect(codes(facts)).toEqual(expected)
})

test('where nobody has agreed that a terminal moves, a process that has one stays; one with its own both ends need not', () => {
  for (const facts of [from(job()), from(shell()), from(job({ open: [log] }))])
    expect(codes(facts, undefined, false)).toEqual(['terminal'])
  expect(codes(source(), undefined, false)).toEqual([])
  expect(codes(from(task({ open: [ptmx(7), pts(7, 6)] })), undefined, false)).toEqual([])
})

test('a target needs Python for a terminal, and the name of one whose both ends move', () => {
  const bare = target({ tools: ['setpriv'] })
  expect(codes(from(job()), bare)).toEqual(['terminal-python'])
  expect(codes(from(job()), target({ tools: ['python3'] }))).toEqual([])
  expect(codes(source(), bare)).toEqual([])
  const own = from(task({ open: [ptmx(7), pts(7, 6)] }))
  expect(wantedOf(own).paths).toContain('/dev/pts/7')
  const to = target()
  expect(codes(own, to)).toEqual([])
  to.paths['/dev/pts/7'] = there({ kind: 'character' })
  expect(codes(own, to)).toEqual(['terminal-taken'])
})

test('numbers of a session and a group that stay behind need not be free at the target', () => {
  expect(wantedOf(from(job({ group: 399 }))).numbers).toEqual([500])
})

test('what criu is told: a job is given to another session, a leader takes its terminal by its device', () => {
  expect(criuOptions(from(job()), {})).toEqual({ criu: { shellJob: true } })
  expect(criuOptions(from(shell()), {})).toEqual({ criu: { terminalDevice: '8800:56' } })
  const far = shell({ terminal: PTS300, open: [pts(300)] })
  expect(criuOptions(from(far), {})).toEqual({ criu: { terminalDevice: '10882c:56' } })
  expect(movingTerminal(from(far))).toEqual({
    terminal: { path: '/dev/pts/300', number: PTS300, rows: 24, columns: 80 },
  })
  expect(criuOptions(source(), {})).toEqual({})
  expect(movingTerminal(source())).toEqual({})
  expect(movingTerminal(from(job()))).toEqual({
    terminal: { path: '/dev/pts/0', number: PTS0, rows: 30, columns: 100 },
  })
  expect(criuWords({ shellJob: true })).toEqual({
    dump: '--shell-job',
    restore: '--shell-job --restore-sibling --restore-detached',
  })
  expect(criuWords({ terminalDevice: '8800:56' })).toEqual({
    dump: '--external tty[8800:56]',
    restore: '--inherit-fd fd[0]:tty[8800:56] --restore-sibling --restore-detached',
  })
})

test('a plan says that the terminal moves, and what of it does not come along', () => {
  expect(changes(from(job())).filter((line) => /terminal|Ctrl-Z|group/.test(line))).toEqual([
    'its terminal (/dev/pts/0) moves too: the old one says where to, and `just attach` connects you to the new one',
    'Ctrl-Z does not stop it there: no shell comes along that could continue it',
  ])
  expect(changes(from(job({ group: 399 })))).toContain(
    'PID 500 (python3) is in a process group with another number there',
  )
  const withJob = from(shell(), job({ pid: 501, threads: [501], session: 500, group: 501 }))
  expect(changes(withJob)).toContain("PID 501 (python3) can't open /dev/tty there, until started again")
  expect(changes(source()).join()).not.toContain('terminal')
})

test('who gives a terminal does not wait for the end of its session in order to start it again', () => {
  const giver = (command: string) => ({
    pid: 7,
    command,
    terminal: 0,
    input: '/dev/null',
    line: command,
    image: '7',
  })
  const started = (root: TaskFacts, command: string) =>
    codes({ ...from(root), ancestors: [giver(command), giver('init')] })
  expect(started(shell(), 'xterm')).toEqual([])
  expect(started(job({ session: 500 }), 'tmux: server')).toEqual([])
  expect(started(job({ session: 500 }), 'sshd-session')).toEqual([])
  expect(started(job({ session: 500 }), 'python3')).toEqual(['watched'])
})
