import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SourceFacts } from '../../../../lib/work/migrate/facts/facts.ts'
import { gatherSource } from '../../../../lib/work/migrate/facts/gather.ts'
import { Connections } from '../../../../lib/mesh/connections.ts'
import { refusals } from '../../../../lib/work/migrate/preflight.ts'
import { openLab, type Lab } from '../../../lab/lab.ts'

/** Real processes in a host, refused by their own name from what the kernel tells of them. */

const REPOSITORY = '/srv/resource-sharing'
const PYTHON = `python3 ${REPOSITORY}/test/lib/work/migrate/workloads.py`

/** A program whose process says in a file that it is ready. */
function saysElsewhere(file: string, program: string): string {
  return `sh -c '{ ${program}; } & until grep ready ${file} 2>/dev/null; do sleep 0.1; done; wait'`
}

/** What is refused with no more than the source's facts: how it is started, and all codes that it is refused by. */
const REFUSED = {
  'a TCP socket that listens': [`${PYTHON} tcp`, ['tcp-socket']],
  'a connected UDP socket': [`${PYTHON} udp`, ['udp-socket']],
  'a socket that is bound to nothing yet': [`${PYTHON} unbound`, ['unknown-socket']],
  'a packet socket': [`${PYTHON} packet`, ['raw-socket']],
  'a unix socket to a process outside the tree': [
    `${PYTHON} unix-client /tmp/server.sock`,
    ['unix-socket-outside'],
  ],
  'a pipe to a process outside the tree': [`${PYTHON} pipe`, ['pipe-outside']],
  'a named pipe to a process outside the tree': [`${PYTHON} fifo /tmp/outside.fifo`, ['pipe-outside']],
  'a process on a terminal': [`${PYTHON} terminal`, ['watched']],
  'a deleted file of more than 1 GiB': [`${PYTHON} deleted`, ['deleted-file']],
  'a file that has lost its name and has another': [`${PYTHON} renamed`, ['deleted-file']],
  'inotify on overlayfs': [`${PYTHON} inotify /root`, ['inotify-overlayfs']],
  io_uring: [`${PYTHON} io-uring`, ['io-uring']],
  'Node without UV_USE_IO_URING=0': [
    `env UV_USE_IO_URING=1 node -e 'require("fs").readFile("/etc/hostname",()=>console.log("ready",process.pid));setInterval(()=>{},1000)'`,
    ['io-uring'],
  ],
  'a device': [`${PYTHON} device`, ['device']],
  'perf events': [`${PYTHON} perf`, ['perf']],
  userfaultfd: [`${PYTHON} userfaultfd`, ['userfaultfd']],
  'memory that a process outside the tree shares': [`${PYTHON} share /dev/shm/outside`, ['memory-outside']],
  'an SQLite database that is open for writing': [`${PYTHON} database /root/database`, ['sqlite']],
  'System V shared memory': [`${PYTHON} sysv`, ['sysv-shm']],
  'System V semaphores': [`${PYTHON} semaphores`, ['sysv-ipc']],
  'a System V message queue': [`${PYTHON} queue`, ['sysv-ipc']],
  'a POSIX message queue': [`${PYTHON} posix-queue`, ['posix-mqueue']],
  'System V shared memory that it has made and not mapped': [`${PYTHON} unmapped`, ['sysv-ipc']],
  'a pidfd of a process outside the tree': [`${PYTHON} pidfd`, ['unknown-file']],
  'a PID namespace of its own': [
    `sh -c 'echo ready $$; exec unshare --pid --fork sleep 100000'`,
    ['pid-namespace'],
  ],
  'a service': [
    `sh -c 'mkdir -p /sys/fs/cgroup/cpu/counter.service; echo $$ >/sys/fs/cgroup/cpu/counter.service/cgroup.procs; exec ${PYTHON} open /etc/debian_version'`,
    ['service'],
  ],
  'a service of a user': [
    `sh -c 'mkdir -p /sys/fs/cgroup/cpu/user@1000.service/app.slice/train.service; echo $$ >/sys/fs/cgroup/cpu/user@1000.service/app.slice/train.service/cgroup.procs; exec ${PYTHON} open /etc/debian_version'`,
    ['service'],
  ],
  'a parent that watches': [`${PYTHON} watched`, ['watched']],
  'a shell that starts it again when it has failed': [
    `sh -c 'until setsid -w ${PYTHON} open /etc/debian_version; do sleep 1; done'`,
    ['watched'],
  ],
  'a shell that starts it again and again': [
    `sh -c 'while :; do setsid -w ${PYTHON} open /etc/debian_version; done'`,
    ['watched'],
  ],
  'a script below a script': [
    `sh -c 'while :; do sh -c "setsid -w ${PYTHON} open /etc/debian_version; exit 1"; done'`,
    ['watched'],
  ],
  'make -j': [
    `sh -c 'printf "all: a b\\na b:\\n\\t@setsid -w ${PYTHON} open /etc/debian_version\\n" >/tmp/Makefile; exec make -s -j 2 -f /tmp/Makefile a'`,
    ['watched'],
  ],
  parallel: [
    `sh -c 'exec parallel --will-cite --ungroup setsid -w ${PYTHON} open {} "</dev/null" ::: /etc/debian_version'`,
    ['watched'],
  ],
  watch: [
    saysElsewhere(
      '/tmp/watch',
      `echo "setsid -w ${PYTHON} open /etc/debian_version </dev/null >/tmp/watch 2>&1" >/tmp/watched.sh; TERM=linux script -qfc "watch -n 1 sh /tmp/watched.sh" /dev/null >/dev/null 2>&1`,
    ),
    ['watched'],
  ],
  cron: [
    saysElsewhere(
      '/tmp/cron',
      `echo "* * * * * setsid -w ${PYTHON} open /etc/debian_version </dev/null >/tmp/cron 2>&1" | crontab -`,
    ),
    ['watched'],
  ],
  xargs: [`sh -c 'echo open /etc/debian_version | xargs setsid -w ${PYTHON}'`, ['watched']],
  'a loop in the background of a shell at its prompt': [
    saysElsewhere(
      '/tmp/background',
      `{ echo "until setsid ${PYTHON} open /etc/debian_version </dev/null >/tmp/background 2>&1; do sleep 1; done &"; sleep 100000; } | TERM=dumb script -qfc "bash --norc -i" /dev/null >/dev/null 2>&1`,
    ),
    ['watched'],
  ],
  'a session leader outside the tree': [`sh -c '${PYTHON} open /etc/debian_version & wait'`, ['watched']],
  'a leader of its group that is gone': [`${PYTHON} group`, ['group-outside']],
  'a process that has ended': [`${PYTHON} zombie`, ['no-process']],
  'a process that is traced': [`${PYTHON} traced`, ['watched', 'traced']],
  'a file whose name is no UTF-8': [`${PYTHON} odd-name`, ['odd-path']],
  'a file whose name says that it is deleted': [`${PYTHON} open "/root/a (deleted)"`, ['odd-path']],
  'a folder whose name says that it is deleted': [`${PYTHON} folder "/root/folder (deleted)"`, ['odd-path']],
  'a child that borrows its memory': [`${PYTHON} vfork`, ['uninterruptible']],
  sshd: ['sh -c "mkdir -p /run/sshd; echo ready \\$\\$; exec /usr/sbin/sshd -D -p 2222"', ['sshd']],
  'another user': [
    `setpriv --reuid=operator --regid=operator --clear-groups ${PYTHON} open /etc/debian_version`,
    ['other-user'],
  ],
} as const

/** What moves as it is, with --copy-files. */
const PLAIN = {
  'a job of a shell at its prompt': saysElsewhere(
    '/tmp/prompt',
    `{ echo "set +m; setsid ${PYTHON} open /etc/debian_version </dev/null >/tmp/prompt 2>&1 &"; sleep 100000; } | TERM=dumb script -qfc "bash --norc -i" /dev/null >/dev/null 2>&1`,
  ),
  'a loop, with what it waits for': `sh -c 'echo ready $$; while :; do sleep 100000; done'`,
  flock: `${PYTHON} flock`,
  'a POSIX lock': `${PYTHON} posix-lock`,
  'a Python counter with a log': `${PYTHON} counter /root/counter.log`,
  'a tree of three': `nice -n -15 ${PYTHON} tree /root/tree`,
  'four threads': `${PYTHON} threads /root/threads`,
  'epoll, eventfd, timerfd, memfd, inotify on tmpfs, own pipes and sockets, a small deleted file': `${PYTHON} kinds /tmp/kinds.sock`,
  'Node with UV_USE_IO_URING=0': `env UV_USE_IO_URING=0 node -e 'require("fs").readFile("/etc/hostname",()=>console.log("ready",process.pid));setInterval(()=>{},1000)'`,
  'stress-ng': `sh -c 'echo ready $$; exec stress-ng --cpu 2 --cpu-load 5 --quiet'`,
  'memory of its own that is shared': `${PYTHON} share /dev/shm/own`,
  'a process whose name reads like the end of a name': `${PYTHON} odd-command`,
  'a file with a newline in its name': `${PYTHON} open $'/root/two\\nlines'`,
  'a file that is written to and is not there': `${PYTHON} write /srv/data/numbers`,
}

/** Another user's, whom the target does not know. */
const WORKERS = {
  'a user whom nobody knows there': `setpriv --reuid=worker --regid=operator --clear-groups ${PYTHON} open /etc/debian_version`,
}

/** What the files of the target decide: without and with --copy-files. */
const FILES = {
  'a file that is missing there': [`${PYTHON} open /root/only-here`, ['file-missing'], []],
  'a folder that is missing there': [`${PYTHON} folder /root/folder`, ['file-missing'], []],
  'a file of another size': [`${PYTHON} open /root/size`, ['file-size'], ['file-size']],
  'a file of the same size with other content': [
    `${PYTHON} open /root/content`,
    ['file-content'],
    ['file-content'],
  ],
  'a mapped file of the same size with other content': [
    `${PYTHON} map /root/mapped`,
    ['file-content'],
    ['file-content'],
  ],
  'a file that is the same, and is written to': [`${PYTHON} write /root/written`, ['file-written'], []],
  'a file as an earlier migration left it': [`${PYTHON} write /root/left`, ['file-size'], []],
  'a file that was changed after an earlier migration': [
    `${PYTHON} write /root/left-and-changed`,
    ['file-size'],
    ['file-size'],
  ],
  'a file with other permissions': [`${PYTHON} open /root/mode`, ['file-mode'], ['file-mode']],
  'a folder with other permissions': [`${PYTHON} folder /root/private`, ['file-mode'], ['file-mode']],
  'a library of the same size with other content': [
    `${PYTHON} open /usr/lib/other-content`,
    ['file-content'],
    ['file-content'],
  ],
  'a file of the system that is missing': [
    `${PYTHON} open /usr/lib/only-here`,
    ['file-missing'],
    ['file-missing'],
  ],
  'a named pipe that is missing there': [`${PYTHON} fifo /root/own.fifo`, ['file-missing'], ['file-missing']],
  'a folder that it watches is missing there': [
    `${PYTHON} inotify "/dev/shm/watched folder/below"`,
    ['file-missing'],
    [],
  ],
  'a folder on a disk that it watches is missing there': [
    `${PYTHON} inotify /run/lab/watched`,
    ['file-missing'],
    [],
  ],
  'a file that it watches is missing there': [`${PYTHON} inotify /dev/shm/watched`, ['file-missing'], []],
  'a unix socket whose name is taken': [
    `${PYTHON} kinds /root/taken.sock`,
    ['unix-socket-path'],
    ['unix-socket-path'],
  ],
} as const

/** What the tests were started from may have left descriptors open: they would lead outside. */
const CLOSE =
  'for each in /proc/$$/fd/*; do each=${each##*/}; [ "$each" -le 2 ] || eval "exec $each>&-"; done'
const BOTH = `
mkdir -p /root/private; echo same >/root/written; echo mode >/root/mode
head -c 5000 /dev/zero >/root/mapped; chmod 755 /root/private
printf aaaa >/root/content; printf aaaa >/usr/lib/other-content; printf aaaa >/root/size
`
const SOURCE = `
mkdir -p /root/folder /srv/data /root/log; echo here >/root/only-here; echo here >/srv/data/numbers
echo x >'/root/a (deleted)'; mkdir -p /run/lab/watched '/root/folder (deleted)' '/dev/shm/watched folder/below'; echo x >/dev/shm/watched
echo here >/usr/lib/only-here; printf bbbb >/root/content; printf bbbb >/usr/lib/other-content; printf aaaaa >/root/size
printf x | dd of=/root/mapped bs=1 seek=4500 conv=notrunc status=none
echo more of it >/root/left; echo more of it >/root/left-and-changed
echo x >$'/root/two\\nlines'; mkfifo /tmp/outside.fifo /root/own.fifo
useradd -u 4242 -M worker; ssh-keyscan n2.lan >>/root/.ssh/known_hosts 2>/dev/null
`
const TARGET = `
mkdir /tmp/watched; chmod 600 /root/mode; chmod 700 /root/private; touch /root/taken.sock
echo some >/root/left; echo changed >/root/left-and-changed; mkdir -p /var/lib/resource-sharing
printf '%s /root/left\\n' $(sha256sum </root/written | cut -c -64) $(sha256sum </root/left | cut -c -64) >/var/lib/resource-sharing/left
printf '%s /root/left-and-changed\\n' $(sha256sum </root/left | cut -c -64) >>/var/lib/resource-sharing/left
`

const START = `${REPOSITORY}/cli/start.mjs`
const PREFLIGHT = 'test/lib/work/migrate/preflight-here.ts'
/** Puts a program of this name before the real one. */
const FAKE = `fake() { printf '#!/bin/sh\\n%s\\n' "$2" >/usr/local/bin/$1; chmod 755 /usr/local/bin/$1; }; fake`

type Answer = {
  pid: number
  sourceMs: number
  targetMs: number
  source?: SourceFacts
  refusals: { code: string; sentence: string; at: string }[]
  shipment: { ship: string[]; folders: string[]; known: string[]; bytes: number }
}

let lab: Lab
/** PIDs in n1 by the title of the case; what this kernel does not have is in `lacking` instead, with its own words. */
const pids = new Map<string, number>()
const lacking = new Map<string, string>()

async function sh(node: string, script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await lab.exec(node, ['bash', '-c', script])
  if (exitCode !== 0) throw new Error(`${node}: ${exitCode}: ${stderr}`)
  return stdout
}

async function ask(question: object, user: 'root' | 'operator' = 'root'): Promise<Answer[]> {
  const ran = await lab.exec('n1', ['node', START, PREFLIGHT, JSON.stringify(question)], {
    user,
    timeoutMs: 240_000,
  })
  if (ran.exitCode !== 0) throw new Error(ran.stderr)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what preflight-here prints
  return ran.stdout.split('\n').map((line) => JSON.parse(line) as Answer)
}

/** Starts programs in n1, each in a session of its own, and waits until each says that it is ready. */
async function start(programs: Record<string, string>): Promise<void> {
  const titles = Object.keys(programs)
  const log = (index: number) => `/root/log/${titles.length}-${index}`
  const started = Object.values(programs).map(
    (program, index) => `setsid ${program} </dev/null >${log(index)} 2>&1 &`,
  )
  await sh('n1', `cd /tmp; ${CLOSE}\n${started.join('\n')}`)
  const all = titles.map((_, index) => log(index)).join(' ')
  const wait = `for i in $(seq 900); do [ "$(grep -lE '^(ready|absent)' ${all} | wc -l)" = ${titles.length} ] && break; sleep 0.1; done`
  const collect = titles.map((_, index) => `tail -n 1 ${log(index)}`)
  const said = (await sh('n1', [wait, ...collect].join('\n'))).split('\n')
  for (const [index, title] of titles.entries()) {
    const pid = /^ready (\d+)$/.exec(said[index] ?? '')?.[1]
    if (pid !== undefined) pids.set(title, Number(pid))
    else if (said[index]?.startsWith('absent ')) lacking.set(title, said[index].slice('absent '.length))
    else throw new Error(`${title} does not begin: ${said[index]}`)
  }
}

const codes = (answer: Answer | undefined) => answer?.refusals.map(({ code }) => code)

/** By title: what the source alone decides, and what the target does, without and with --copy-files. */
const answers = new Map<string, Answer>()
const withoutCopies = new Map<string, Answer>()
const withCopies = new Map<string, Answer>()

async function askAll(titles: readonly string[], options: object, into: Map<string, Answer>): Promise<void> {
  const all = await ask({ pids: titles.map((title) => pids.get(title)), ...options })
  for (const [index, answer] of all.entries()) into.set(titles[index] ?? '', answer)
}

beforeAll(async () => {
  lab = await openLab({ instance: 'preflight', hosts: 2, tailnet: false })
  await Promise.all([sh('n1', BOTH + SOURCE), sh('n2', BOTH + TARGET)])
  await start({
    server: `${PYTHON} unix-server /tmp/server.sock`,
    sharer: `${PYTHON} share /dev/shm/outside`,
    reader: `sh -c 'echo ready $$; exec cat /tmp/outside.fifo'`,
  })
  const refused = Object.entries(REFUSED).map(([title, [program]]) => [title, program] as const)
  const files = Object.entries(FILES).map(([title, [program]]) => [title, program] as const)
  await start(Object.fromEntries([...refused, ...files, ...Object.entries({ ...PLAIN, ...WORKERS })]))
  await askAll([...pids.keys()], {}, answers)
  await askAll(Object.keys(FILES), { target: 'n2.lan' }, withoutCopies)
  await askAll(
    [...Object.keys(FILES), ...Object.keys(PLAIN)],
    { target: 'n2.lan', copyFiles: true },
    withCopies,
  )
  await sh('n1', 'pkill stress-ng')
})
afterAll(async () => await lab.close())

test.for(Object.entries(REFUSED))('%s: refused by its own name', ([title, [, expected]], { skip }) => {
  const why = lacking.get(title)
  if (why !== undefined) skip(`this kernel has none: ${why}`)
  expect(answers.get(title)?.refusals).toMatchObject(expected.map((code) => ({ code, at: 'source' })))
})

test.each(Object.keys(PLAIN))('%s: not refused', (title) => {
  expect(answers.get(title)?.refusals).toEqual([])
  expect(withCopies.get(title)?.refusals).toEqual([])
})

test.each(Object.entries(FILES))('%s: told by the target', (title, [, without, copied]) => {
  expect(answers.get(title)?.refusals).toEqual([])
  const plain = withoutCopies.get(title)
  expect(plain?.refusals.filter((each) => !isLog(each))).toMatchObject(
    without.map((code) => ({ code, at: 'target' })),
  )
  expect(codes(withCopies.get(title))).toEqual(copied)
})

/** The log that every workload writes is missing on the target too. */
function isLog({ sentence }: Answer['refusals'][number]): boolean {
  return /: \/root\/log\/\S+$/.test(sentence)
}

/** Loops of a shell: the children of the second have pipes to each other. */
const LOOPS = {
  'a loop that begins a child after the other': `sh -c 'echo ready $$; while :; do date >>/root/dates; sleep 0.1; done'`,
  'a loop over a pipeline': `bash -c 'echo ready $$; while :; do echo $(date) | cat >>/root/piped; sleep 0.1; done'`,
}

test('a loop whose children come and go is refused at none of a dozen looks', async () => {
  await start(LOOPS)
  const loops = Object.keys(LOOPS).map((title) => pids.get(title))
  const all = await ask({
    pids: Array.from({ length: 6 }, () => loops).flat(),
    target: 'n2.lan',
    copyFiles: true,
  })
  await sh('n1', `kill ${loops.join(' ')}`)
  expect(all.flatMap(({ refusals: found }) => found)).toEqual([])
})

test.each([
  ['PID 1', 1, 'first-process'],
  ['this program', 0, 'own-session'],
  ['a PID that nobody has', 4_194_303, 'no-process'],
])('%s is refused at once, before criu is asked', async (_, pid, code) => {
  const [answer] = await ask({ pids: [pid], facts: true })
  expect(codes(answer)).toEqual([code])
  expect(answer?.source?.criu).toBeUndefined()
})

test('a thread of the kernel is refused', async () => {
  const reach = { connections: await Connections.open(), connectMs: 1000 }
  const limits = { timeoutMs: 20_000, signal: new AbortController().signal }
  const kernel = await gatherSource({ name: 'here' }, 2, reach, limits)
  if (!kernel.known) throw new Error(kernel.refusal.sentence)
  const found = refusals(kernel.facts, undefined, { copyFiles: false, force: true })
  expect(found.map(({ code }) => code)).toEqual(['kernel-thread'])
})

test("another user's process is refused by its user's name only, and not with force", async () => {
  const pid = pids.get('another user')
  expect(codes((await ask({ pids: [pid], target: 'n2.lan', copyFiles: true, force: true }))[0])).toEqual([])
})

test('a process that cpulimit stops and continues is refused', async () => {
  const pid = pids.get('four threads')
  await start({ limiter: `${PYTHON} limiter --pid=${pid}` })
  const [answer] = await ask({ pids: [pid] })
  await sh('n1', `kill ${pids.get('limiter')}`)
  expect(codes(answer)).toEqual(['throttled'])
})

test('a user with sudo learns the same, and who asks is that user', async () => {
  const own = [pids.get('another user'), pids.get('a Python counter with a log')]
  const [mine, roots] = await ask({ pids: own, facts: true }, 'operator')
  expect(mine?.source?.uid).toBe(1000)
  expect([codes(mine), codes(roots)]).toEqual([[], ['other-user']])
})

test('a user without sudo is told so', async () => {
  const user = 'setpriv --reuid=worker --regid=operator --clear-groups --reset-env'
  const question = JSON.stringify({ pids: [pids.get('four threads')] })
  const script = `${user} node ${START} ${PREFLIGHT} '${question}'`
  expect(await sh('n1', `cd /tmp; ${script}`)).toContain('"code":"no-root"')
})

test('what is shipped is what is missing, and what an earlier migration left; folders with those above them', async () => {
  const titles = ['a file that is written to and is not there', 'a file as an earlier migration left it']
  const asked = { pids: titles.map((title) => pids.get(title)), target: 'n2.lan', copyFiles: true }
  const [missing, left] = await ask(asked)
  expect(missing?.shipment.ship).toContain('/srv/data/numbers')
  expect(missing?.shipment).toMatchObject({ folders: ['/root/log', '/srv/data'], known: [] })
  expect(left?.shipment.ship).toContain('/root/left')
  expect(left?.shipment.known).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
  const [nothing] = await ask({ ...asked, copyFiles: false })
  expect(nothing?.shipment).toEqual({ ship: [], folders: [], known: [], bytes: 0 })
})

test('reading the facts of a tree takes well under a second and leaves no gap in its counter', async () => {
  const pid = pids.get('a tree of three')
  const milliseconds: number[] = []
  const gaps: number[] = []
  // The machine itself may stand still for a moment: a gap that reading makes is there every time.
  for (let trial = 0; trial < 4; trial += 1) {
    const lines = await sh('n1', 'wc -l </root/tree.2')
    const [answer] = await ask({ pids: [pid] })
    milliseconds.push(Math.round(answer?.sourceMs ?? Number.NaN))
    const most = `awk 'NR > 1 && $2 - before > most { most = $2 - before } { before = $2 } END { print most * 1000 }'`
    gaps.push(Number(await sh('n1', `tail -n +${lines} /root/tree.2 | ${most}`)))
  }
  process.stdout.write(
    `facts of a tree of three: ${milliseconds.join(', ')} ms; longest gaps ${gaps.join(', ')} ms\n`,
  )
  expect(Math.min(...milliseconds)).toBeLessThan(1000)
  expect(Math.min(...gaps)).toBeLessThan(100)
  expect(await sh('n1', 'ls -d /tmp/tmp.* 2>/dev/null || echo none')).toBe('none')
})

const COUNTER = 'a Python counter with a log'

test.each([
  ['a process', 'setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!'],
  [
    'a session whose leader has ended',
    `setsid sh -c 'sleep 1000 >/dev/null & echo $$' </dev/null 2>/dev/null`,
  ],
])('a number that %s has on the target is taken', async (_, command) => {
  const pid = pids.get(COUNTER) ?? 0
  const last = '/proc/sys/kernel/ns_last_pid'
  const started = await sh(
    'n2',
    `was=$(cat ${last}); echo ${pid - 1} >${last}; ${command}; echo $was >${last}`,
  )
  const [answer] = await ask({ pids: [pid], target: 'n2.lan', copyFiles: true })
  await sh('n2', 'pkill -fx "sleep 1000"; sleep 0.2')
  expect(Number(started)).toBe(pid)
  expect(codes(answer)).toEqual(['pid-taken'])
  expect(codes((await ask({ pids: [pid], target: 'n2.lan', copyFiles: true }))[0])).toEqual([])
})

test.each([
  ['no criu', 'mv /usr/sbin/criu /usr/sbin/criu.away', 'mv /usr/sbin/criu.away /usr/sbin/criu', 'no-criu'],
  [
    'a criu whose check fails',
    `${FAKE} criu 'echo Version: 4.1.1; [ "$1" != check ] || { echo a feature is missing; exit 1; }'`,
    'rm /usr/local/bin/criu',
    'criu-check',
  ],
  ['an older criu', `${FAKE} criu 'echo Version: 3.17; exit 0'`, 'rm /usr/local/bin/criu', 'criu-version'],
  ['another CPU', `${FAKE} criu 'echo Version: 4.1.1; [ "$1" != cpuinfo ]'`, 'rm /usr/local/bin/criu', 'cpu'],
  [
    'another architecture',
    `${FAKE} uname '[ "$1" != -m ] || { echo armv7l; exit; }; exec /usr/bin/uname "$@"'`,
    'rm /usr/local/bin/uname',
    'arch',
  ],
  [
    'an older kernel',
    `${FAKE} uname '[ "$1" != -r ] || { echo 5.10.0; exit; }; exec /usr/bin/uname "$@"'`,
    'rm /usr/local/bin/uname',
    'kernel',
  ],
  ['another system', `${FAKE} uname 'echo Darwin'`, 'rm /usr/local/bin/uname', 'not-linux'],
  [
    'no memory',
    `${FAKE} awk 'case "$1" in *MemAvail*) printf 1000000 ;; *) exec mawk "$@" ;; esac'`,
    'rm /usr/local/bin/awk',
    'memory',
  ],
  ['a user of another number', 'useradd -u 4243 -M worker', 'userdel worker', 'no-user'],
  ['no such user', 'true', 'true', 'no-user'],
] as const)('a target with %s is refused by its own name', async (title, before, after, code) => {
  const pid = pids.get(code === 'no-user' ? 'a user whom nobody knows there' : COUNTER)
  await sh('n2', before)
  const [answer] = await ask({ pids: [pid], target: 'n2.lan', copyFiles: true, force: true })
  await sh('n2', after)
  expect(codes(answer), answer?.refusals[0]?.sentence).toEqual([code])
  expect(answer?.refusals[0]).toMatchObject({ at: 'target', sentence: expect.stringContaining('n2.lan') })
  process.stdout.write(`${title}: ${answer?.refusals[0]?.sentence}\n`)
})

test('the source itself is refused as a target', async () => {
  await sh('n1', 'ssh-keyscan n1.lan >>/root/.ssh/known_hosts 2>/dev/null')
  const [answer] = await ask({ pids: [pids.get(COUNTER)], target: 'n1.lan' })
  expect(codes(answer)).toContain('same-machine')
})

test('a process of another host is read over ssh like one of this host', async () => {
  const ready = await sh(
    'n2',
    `cd /tmp; ${CLOSE}; setsid ${PYTHON} tcp </dev/null >/tmp/tcp 2>&1 & sleep 0.5; cat /tmp/tcp`,
  )
  const [answer] = await ask({ pids: [Number(ready.replace('ready ', ''))], source: 'n2.lan' })
  expect(codes(answer)).toEqual(['tcp-socket'])
  const [session] = await ask({ pids: [Number(await sh('n2', 'pgrep -o sshd'))], source: 'n2.lan' })
  expect(codes(session)).toEqual(['own-session'])
})

test('a machine that does not answer is no target', async () => {
  const [answer] = await ask({ pids: [pids.get(COUNTER)], target: 'n9.lan' })
  expect(codes(answer)).toEqual(['unreachable'])
})
