import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { MARKS } from '../../lib/machine/reservations/script.ts'
import { openLab, type Lab } from '../lab/lab.ts'
import { rounds } from '../rounds.ts'

const Jobs = z.object({
  jobs: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      node: z.string().optional(),
      exitCode: z.number().optional(),
      reason: z.string().optional(),
      silent: z.string().optional(),
      notes: z.array(z.string()).optional(),
      attempt: z.number(),
    }),
  ),
})

// n1 is where a person sits; n2 and n3 have room, n2 more than n3.
let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'jobtest', hosts: 3 })
  for (const [node, load1] of [
    ['n1', 2],
    ['n2', 0.1],
    ['n3', 0.2],
  ] as const) {
    await lab.setCpus(node, 4)
    await lab.setLoad(node, load1)
  }
})
afterAll(() => lab?.close())

const WORK = '/home/operator/work'

beforeEach(async () => {
  await sh('n1', `rm -rf ${WORK} ~/.local/state/resource-sharing/jobs; mkdir -p ${WORK}`)
  await root('rm -rf /var/lib/resource-sharing /home/operator/.local/state/resource-sharing', 'n2', 'n3')
})

/** A script as the person, in the folder where they work. */
async function sh(node: string, script: string, ...args: string[]) {
  return await lab.exec(node, ['sh', '-c', script, 'sh', ...args], { user: 'operator' })
}
async function root(script: string, ...nodes: string[]) {
  for (const node of nodes) await lab.exec(node, ['sh', '-c', script])
}
const here = { user: 'operator', cwd: WORK } as const
async function run(script: string, args: string[], input = '') {
  const began = performance.now()
  const ran = await lab.exec('n1', ['node', START, `scripts/${script}.ts`, ...args], { ...here, input })
  return { ...ran, seconds: (performance.now() - began) / 1000 }
}
const ROOT = '/srv/resource-sharing'
const START = `${ROOT}/cli/start.mjs`
const BUSYBOX_FLOCK = `ln -s ${ROOT}/test/lab/in-host/busybox-flock.sh /usr/local/bin/flock`

async function spawn(script: string, args: string[], env: Record<string, string> = {}) {
  return await lab.spawn('n1', ['node', START, `scripts/${script}.ts`, ...args], { ...here, env })
}

/** How many processes of a machine have a word in their command line. */
async function processes(node: string, word: string): Promise<number> {
  const { stdout } = await lab.exec(node, ['ps', '-eo', 'args'])
  return stdout.split('\n').filter((line) => line.includes(word)).length
}

async function jobs() {
  const { stdout } = await run('jobs', ['--json', '--timeout', '5'])
  return Jobs.parse(JSON.parse(stdout)).jobs
}
async function jobIs(id: string, state: string, timeout = 30_000) {
  await expect
    .poll(async () => (await jobs()).find((job) => job.id === id)?.state, { timeout, interval: 300 })
    .toBe(state)
  return (await jobs()).find((job) => job.id === id)
}
async function enqueue(...args: string[]): Promise<string> {
  return (await run('enqueue', ['-q', ...args])).stdout
}

test('offload passes on output, exit status, arguments and input, to the last byte', async () => {
  const both = await run('offload', ['sh', '-c', 'hostname; echo wrong >&2; exit 3'])
  expect(both).toMatchObject({ stdout: 'n2', stderr: 'wrong', exitCode: 3 })
  const words = ["it's", '', '$(id)', 'a\nb\n', '-x', '--json', 'é\\', '*']
  const shown = await run('offload', ['printf', '[%s]', ...words])
  expect(shown.stdout).toBe(words.map((word) => `[${word}]`).join(''))
  const input = Array.from({ length: 200_000 }, (_, index) => `${index}\n`).join('')
  const { stdout } = await run(
    'offload',
    ['sh', '-c', 'sha256sum; head -c 3000000 /dev/zero | tr "\\0" x | wc -c'],
    input,
  )
  const sum = await lab.exec('n1', ['sha256sum'], { input })
  expect(stdout).toBe(`${sum.stdout}\n3000000`)
  expect((await run('offload', ['printf', 'a\\036b'])).stdout).toBe('a\u001Eb')
})

test.each(['offload', 'enqueue'] as const)(
  'by %s, holes stay holes and two names one file, there and back, and others may what the person lets them',
  async (script) => {
    await sh('n1', `cd ${WORK} && mkdir in && truncate -s 1G in/a && echo end >>in/a && ln in/a in/b`)
    // root's tar gives files the modes that they had, whatever the umask.
    const ask = async (command: string, ...args: string[]) =>
      await lab.exec('n1', ['sh', '-c', `umask 077; ${command}`, 'sh', ...args], { cwd: WORK })
    const look = 'tail -c 4 a; stat -c "%s %h" b; [ $(du -k b | cut -f 1) -lt 1000 ] && echo small'
    const command = `umask 0; cp -a in out; chmod 777 out; touch out/all; mkdir -p out/shut/in; chmod 500 out/shut/in out/shut; cd in; { ${look}; } >../out/seen`
    const work = ['--send', 'in', '--return', 'out', 'sh', '-c', command]
    const begun = await ask(`exec node ${START} scripts/${script}.ts -q "$@"`, ...work)
    expect(begun).toMatchObject({ exitCode: 0, stderr: '' })
    if (script === 'enqueue') {
      expect((await ask(`exec node ${START} scripts/jobs.ts start ${begun.stdout}`)).exitCode).toBe(0)
      const collected = async () => (await ask(`node ${START} scripts/jobs.ts; ls`)).stdout
      await expect.poll(collected, { interval: 500 }).toMatch(/^out$/m)
      await ask(`exec node ${START} scripts/jobs.ts forget ${begun.stdout}`)
    }
    const whole = `end\n${2 ** 30 + 4} 2\nsmall`
    expect((await ask(`cat out/seen; cd out; ${look}`)).stdout).toBe(`${whole}\n${whole}`)
    expect((await ask('stat -c %a out out/all out/shut out/shut/in')).stdout).toBe('700\n600\n500\n500')
    await root(`rm -r ${WORK}/*`, 'n1')
  },
)

test.each([
  ['a signal', ['sh', '-c', 'kill -9 $$'], 137],
  ['a command that is not there', ['no-such-command'], 127],
  ['a command that can not be run', ['/etc/passwd'], 126],
  ['a folder that is not there', ['--cwd', '/no/such/folder', 'true'], 125],
  ['a flag that there is not', ['--no-such-flag', 'true'], 125],
  ['no command', [], 125],
  ['a machine that there is not', ['--target', 'n9', 'true'], 125],
])('offload tells %s by its exit code', async (_, args, exitCode) => {
  expect(await run('offload', args)).toMatchObject({ exitCode, stdout: '' })
})

test('files go there first and come back, and what is here already is kept', async () => {
  await sh(
    'n1',
    `cd ${WORK} && mkdir -p data && seq 5 >data/in && echo old >out && printf '#!/bin/sh\nsort -rn' >/tmp/prog && chmod +x /tmp/prog`,
  )
  const args = [
    '--send',
    'data',
    '--send',
    '/tmp/prog',
    '--return',
    'out',
    '--return',
    'deep/er',
    '--return',
    'none',
  ]
  const script = './prog <data/in >out; mkdir -p deep/er; echo x >deep/er/x; ln -s x deep/er/y; exit 4'
  const ran = await run('offload', [...args, 'sh', '-c', script])
  expect(ran).toMatchObject({ exitCode: 4, stdout: '' })
  expect(ran.stderr).toMatch(/^"none" was not made$/m)
  expect(ran.stderr).toMatch(/^"out" was there already: it is now "out\.before-/m)
  const { stdout } = await sh('n1', `cd ${WORK} && cat out; cat out.before-*; cat deep/er/y; ls -A`)
  expect(stdout.split('\n').slice(0, 7)).toEqual(['5', '4', '3', '2', '1', 'old', 'x'])
  expect(stdout).not.toMatch(/resource-sharing/)
  expect((await sh('n2', 'ls -A ~/.local/state/resource-sharing/runs')).stdout).toBe('')
  expect(await run('offload', ['--return', 'none', 'true'])).toMatchObject({
    exitCode: 0,
    stderr: '"none" was not made',
  })
})

// As Python's tarfile writes them: what GNU tar refuses itself, and what it takes.
const REFUSED = `
add('./out/good', data=b'good')
add('../escaped', data=b'x'); add('/home/operator/escaped', data=b'x'); add('./out/../../../escaped', data=b'x')
add('./out/absolute', tarfile.SYMTYPE, '/home/operator'); add('./out/absolute/escaped', data=b'x')
add('./out/up', tarfile.SYMTYPE, '../..'); add('./out/up/escaped', data=b'x')
add('./out/hard', tarfile.LNKTYPE, '/home/operator/secret'); add('./out/hard2', tarfile.LNKTYPE, '../../secret')`
const TAKEN = `
add('./out/good', data=b'good'); add('./out/in', tarfile.SYMTYPE, 'good')
add('./out/absolute', tarfile.SYMTYPE, '/home/operator'); add('./out/up', tarfile.SYMTYPE, '../..')
add('./out/a', tarfile.SYMTYPE, '.'); add('./out/b', tarfile.SYMTYPE, 'a/../../..')
add('./out/suid', data=b'x', mode=0o4755); add('./out/pipe', tarfile.FIFOTYPE)
add('./out/name\\n\\x1b[31m', tarfile.FIFOTYPE)
add('./other', data=b'x'); add('./-rf', data=b'x'); add('./data/in', data=b'x')`

test.each([
  ['refused', REFUSED, 125, ['secret']],
  ['left out', TAKEN, 0, ['secret', './out', './out/a', './out/good', './out/in', './out/suid']],
])(
  'of what a hostile machine sends, nothing gets out of the folder: it is %s',
  async (_, entries, exitCode, there) => {
    const hostile = `#!/usr/bin/python3
import io, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode='w|')
def add(name, type=tarfile.REGTYPE, link='', data=b'', mode=0o644):
    info = tarfile.TarInfo(name); info.type = type; info.linkname = link; info.size = len(data); info.mode = mode
    out.addfile(info, io.BytesIO(data))
${entries}
out.close()`
    await lab.exec('n2', ['sh', '-c', 'cat >/usr/local/bin/tar && chmod +x /usr/local/bin/tar'], {
      input: hostile,
    })
    await sh('n1', 'echo secret >~/secret')
    const ran = await run('offload', ['--return', 'out', '--target', 'n2', 'sh', '-c', 'mkdir out'])
    await lab.exec('n2', ['rm', '/usr/local/bin/tar'])
    const look = `cd ~ && find . -name 'escaped*'; cat secret; cd ${WORK} && find . -mindepth 1 | sort; find . -perm /7000; find . -links +1 -type f`
    expect(ran).toMatchObject({ exitCode })
    expect((await sh('n1', look)).stdout.split('\n')).toEqual(there)
    expect(ran.stderr).not.toContain('\u001B')
    if (exitCode === 0)
      expect(ran.stderr).toMatch(/^"out\/b" was left out: it is a link that leads elsewhere$/m)
  },
)

test('Ctrl-C reaches the command, and nothing of it is left there, whatever it does against it', async () => {
  const { process: kind } = await spawn('offload', [
    'sh',
    '-c',
    'trap "echo bye; exit 7" INT; echo begun; while :; do sleep 0.1; done',
  ])
  await expect.poll(async () => await processes('n2', 'echo begun')).toBeGreaterThan(0)
  await sleep(500)
  kind.kill('SIGINT')
  expect(await kind).toMatchObject({ exitCode: 130, stdout: 'begun\nbye' })
  const script = `trap '' INT TERM HUP; setsid sh -c 'trap "" INT TERM HUP; while :; do sleep 9.87; done' & (while :; do sleep 9.87; done) & while :; do sleep 9.87; done`
  const { process: stubborn } = await spawn('offload', ['sh', '-c', script])
  await expect.poll(async () => await processes('n2', 'sleep 9.87')).toBeGreaterThan(3)
  stubborn.kill('SIGINT')
  expect(await stubborn).toMatchObject({ exitCode: 130 })
  expect(await processes('n2', 'sleep 9.87')).toBe(0)
  await expect
    .poll(async () => (await sh('n2', 'ls -A ~/.local/state/resource-sharing/runs')).stdout)
    .toBe('')
})

const DEAF = `trap "" INT TERM HUP; while :; do sleep 9.65; done`

test.each([
  ['what it has begun by sudo', 'operator', `sudo sh -c '${DEAF}'`],
  [
    'what is in another session without its environment, once its parent has been there for a while',
    'operator',
    `sh -c "env -i setsid sh -c '${DEAF.replaceAll('"', '\\"')}' & exec sleep 6"; sleep 100`,
  ],
  [
    'what root has begun in another session without its environment, whose parent has ended at once',
    'root',
    `(env -i setsid sh -c '${DEAF}' &); sleep 100`,
  ],
])('nothing escapes Ctrl-C: %s', async (_, user, script) => {
  await sh('n1', 'printf "Host n2\\n  User %s\\n" "$1" >~/.ssh/config', user)
  const { process: child } = await spawn('offload', ['--target', 'n2', 'sh', '-c', script])
  await expect.poll(async () => await processes('n2', 'sleep 9.65')).toBeGreaterThan(0)
  await sleep(user === 'root' ? 500 : 8000)
  child.kill('SIGINT')
  expect(await child).toMatchObject({ exitCode: 130 })
  expect(await processes('n2', 'sleep 9.65')).toBe(0)
  await sh('n1', 'rm ~/.ssh/config')
  const groups = async () => (await lab.exec('n2', ['find', '/sys/fs/cgroup', '-name', 'resource-*'])).stdout
  await expect.poll(groups).toBe('')
})

test('what can not be ended there is named', async () => {
  const { process: child } = await spawn('offload', ['--target', 'n2', 'sudo', 'sh', '-c', DEAF])
  await expect.poll(async () => await processes('n2', 'sleep 9.65')).toBeGreaterThan(0)
  await root('mv /etc/sudoers.d/lab /root/', 'n2')
  child.kill('SIGINT')
  const { exitCode, stderr } = await child
  await root('mv /root/lab /etc/sudoers.d/; pkill -KILL -f "sleep 9[.]65"', 'n2')
  expect(exitCode).toBe(125)
  expect(stderr).toMatch(/n2: this does not end there: PID \d+ \((?:sh|sleep)\)/m)
})

test('what a command leaves running ends with it', async () => {
  const ran = await run('offload', ['sh', '-c', 'setsid sleep 987.6 & sleep 987.6 & echo done'])
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'done' })
  expect(ran.seconds).toBeLessThan(20)
  expect(await processes('n2', 'sleep 987.6')).toBe(0)
})

test('an offload that is killed leaves nothing running', async () => {
  const { process: child } = await spawn('offload', ['sleep', '976.5'])
  await expect.poll(async () => await processes('n2', 'sleep 976.5')).toBe(1)
  await sh('n1', "kill -9 $(pgrep -f 'scripts/offload.ts sleep 976.5')")
  await child
  await expect.poll(async () => await processes('n2', 'sleep 976.5'), { timeout: 5000 }).toBe(0)
})

/** Instead of two minutes. */
const SHORT_SILENCE = { RESOURCE_SHARING_SILENCE_SECONDS: '20' }

test('offload may be stopped for a moment; where that was too long, it is told so', async () => {
  const stopped = async (target: string, env: Record<string, string>) => {
    const command = ['--target', target, 'sh', '-c', 'sleep 4.31; sleep 26; echo made']
    const { process: child } = await spawn('offload', command, env)
    await expect.poll(async () => await processes(target, 'sleep 4.31')).toBeGreaterThan(0)
    const signal = async (name: string) =>
      await lab.exec('n1', ['pkill', `-${name}`, '-f', `offload[.]ts --target ${target} sh -c sleep 4.31`])
    expect((await signal('STOP')).exitCode).toBe(0)
    await sleep(29_000)
    await signal('CONT')
    return await child
  }
  const [moment, long] = await Promise.all([stopped('n2', {}), stopped('n3', SHORT_SILENCE)])
  expect(moment).toMatchObject({ exitCode: 0, stdout: 'made', stderr: '' })
  expect(long).toMatchObject({ exitCode: 125, stdout: '' })
  expect(long.stderr).toContain('nothing was heard of this side for 20 s: was it suspended?')
})

test('a link that is cut ends the command there, and offload says so', async () => {
  const command = ['sh', '-c', 'echo begun; sleep 965.4']
  const { process: child } = await spawn('offload', command, SHORT_SILENCE)
  await expect.poll(async () => await processes('n2', 'sleep 965.4')).toBeGreaterThan(0)
  await lab.linkDown('n2')
  const began = performance.now()
  const { exitCode, stdout, stderr } = await child
  expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: 'begun' })
  expect(stderr).toMatch(/n2: the connection was lost: how the command ended is not known/)
  expect((performance.now() - began) / 1000).toBeLessThan(45)
  // Its link is still down: it notices by itself.
  await expect.poll(async () => await processes('n2', 'sleep 965.4'), { timeout: 40_000 }).toBe(0)
  await lab.linkUp('n2')
  await expect
    .poll(async () => (await run('offload', ['--target', 'n2', 'true'])).exitCode, { timeout: 60_000 })
    .toBe(0)
})

test('many at once that wait for one machine all come to it, one after the other', async () => {
  const command = ['--target', 'n2', '--wait', '-q', 'hostname']
  const all = await Promise.all(Array.from({ length: 6 }, async () => await run('offload', command)))
  expect(all).toMatchObject(all.map(() => ({ exitCode: 0, stdout: 'n2', stderr: '' })))
})

test('two offloads at once have different receivers, and then there is none', async () => {
  const both = await Promise.all(
    ['1', '2'].map(
      async (name) => await spawn('offload', ['--cpus', '2', 'sh', '-c', 'hostname; sleep 12', name]),
    ),
  ).then(async (children) => {
    await expect
      .poll(async () => (await processes('n2', 'sleep 12')) + (await processes('n3', 'sleep 12')))
      .toBeGreaterThan(3)
    const third = await run('offload', ['--cpus', '2', 'true'])
    expect(third).toMatchObject({ exitCode: 125, stdout: '' })
    expect(third.stderr).toMatch(/^no other machine has room \(.*overloaded/)
    return await Promise.all(children.map(({ process }) => process))
  })
  expect(both.map(({ stdout }) => stdout).toSorted()).toEqual(['n2', 'n3'])
  // What has ended counts no more.
  expect(await run('offload', ['--cpus', '2', 'hostname'])).toMatchObject({ exitCode: 0, stdout: 'n2' })
})

test('a closed machine gets no work, mesh-balance shows it, and it opens again, also after a reboot', async () => {
  const close = await lab.exec('n2', ['sh', '-c', `cd / && node ${START} scripts/close.ts backup tonight`], {
    user: 'operator',
  })
  expect(close).toMatchObject({ exitCode: 0, stdout: 'n2 is closed: backup tonight' })
  expect((await run('mesh-balance', [])).stdout).toMatch(/^n2 .*closed: backup tonight$/m)
  expect((await run('find-minus', ['--only-minus'])).stdout).toMatch(/^n3: [^\n]*$/)
  expect(await run('offload', ['hostname'])).toMatchObject({ stdout: 'n3' })
  expect((await run('offload', ['--target', 'n2', 'hostname'])).stderr).toBe(
    'n2: it is closed: backup tonight',
  )
  await lab.killHost('n2')
  await lab.bootHost('n2')
  await lab.setCpus('n2', 4)
  await lab.setLoad('n2', 0.1)
  await expect
    .poll(async () => (await run('mesh-balance', [])).stdout, { timeout: 60_000 })
    .toMatch(/^n2 .*closed/m)
  await lab.setLoad('n3', 3)
  expect(await run('offload', ['hostname'])).toMatchObject({ exitCode: 125, stdout: '' })
  expect(await run('offload', ['-q', '--or-here', 'sh', '-c', 'hostname; exit 9'])).toMatchObject({
    exitCode: 9,
    stdout: 'n1',
    stderr: '',
  })
  const { process: waiting } = await spawn('offload', ['--wait', 'hostname'])
  await sleep(4000)
  const open = await lab.exec('n2', ['sh', '-c', `cd / && node ${START} scripts/open.ts`], {
    user: 'operator',
  })
  expect(open).toMatchObject({ exitCode: 0, stdout: 'n2 is open' })
  expect(await waiting).toMatchObject({ exitCode: 0, stdout: 'n2' })
  await lab.setLoad('n3', 0.2)
})

test("root with a person's HOME makes no folder there that they can not enter", async () => {
  const asked = await lab.exec('n1', ['node', START, 'scripts/enqueue.ts', '-q', 'true'], {
    env: { HOME: '/home/operator' },
  })
  expect(asked.exitCode).toBe(0)
  expect((await lab.exec('n1', ['find', '/home/operator', '-user', 'root'])).stdout).toBe('')
  await lab.exec('n1', ['node', START, 'scripts/jobs.ts', 'forget', asked.stdout])
})

test("a machine whose flock is BusyBox's takes work", async () => {
  await root(BUSYBOX_FLOCK, 'n3')
  const ran = await run('offload', ['--target', 'n3', 'hostname'])
  await root('rm /usr/local/bin/flock', 'n3')
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'n3' })
})

test.each(['the usual', "BusyBox's"])(
  'twenty reserve a machine at the same time by %s flock, as root and as a user: one has it',
  async (whose) => {
    if (whose !== 'the usual') await root(BUSYBOX_FLOCK, 'n2')
    const script = `${MARKS}\nfor each in $(seq 20); do (rs_reserve "$USER-$each" 60 1 >/dev/null && echo "$USER-$each") & done; wait; rs_show`
    for (const user of ['root', 'operator'] as const) {
      const { stdout } = await lab.exec('n2', ['sh', '-c', script], { user })
      // The user minds what root has reserved.
      if (user === 'root') expect(stdout).toMatch(/^(root-\d+)\nreserved \1 \d+ 1$/)
      else expect(stdout).toMatch(/^reserved root-\d+ \d+ 1$/)
    }
    await root('rm -r /var/lib/resource-sharing', 'n2')
    expect((await lab.exec('n2', ['sh', '-c', script], { user: 'operator' })).stdout).toMatch(
      /^(operator-\d+)\nreserved \1/,
    )
    await root('rm -f /usr/local/bin/flock', 'n2')
  },
)

test('a job waits, runs detached, and brings back its output, its exit status and its files', async () => {
  await sh('n1', `cd ${WORK} && echo 41 >in`)
  const id = await enqueue(
    '--name',
    'answer',
    '--send',
    'in',
    '--return',
    'out',
    'sh',
    '-c',
    'echo working; echo wrong >&2; sleep 2; expr $(cat in) + 1 >out; exit 5',
  )
  expect(await jobs()).toMatchObject([{ id, state: 'queued' }])
  expect(await run('jobs', ['start', id])).toMatchObject({ exitCode: 0, stdout: `${id}: running on n2` })
  expect((await run('jobs', ['log', id])).stdout).toBe('working\nwrong')
  expect(await jobIs(id, 'done')).toMatchObject({ node: 'n2', exitCode: 5, attempt: 1, notes: [] })
  expect((await run('jobs', ['log', id])).stdout).toBe('working\nwrong')
  expect((await sh('n1', `cat ${WORK}/out`)).stdout).toBe('42')
  expect((await run('jobs', [])).stdout).toMatch(/answer .*done on n2: exit 5/)
  expect((await run('jobs', ['start', id])).stderr).toMatch(/is done: `just jobs retry`/)
  expect((await sh('n2', 'ls -A ~/.local/state/resource-sharing/runs')).stdout).toBe('')
  expect((await run('jobs', ['retry', id])).stdout).toBe(`${id}: queued`)
  await run('jobs', ['start', id, '--target', 'n3'])
  expect(await jobIs(id, 'done')).toMatchObject({
    node: 'n3',
    attempt: 2,
    notes: [expect.stringMatching(/^"out" was there already/)],
  })
  await run('jobs', ['forget', id])
  expect(await jobs()).toEqual([])
})

test('a job that can not begin has failed, and one that is cancelled leaves nothing', async () => {
  const bad = await enqueue('--cwd', '/no/such', 'true')
  expect((await run('jobs', ['start', bad])).exitCode).toBe(1)
  expect(await jobs()).toMatchObject([{ id: bad, state: 'failed', reason: 'there is no folder /no/such' }])
  const long = await enqueue('sh', '-c', 'trap "" TERM; setsid sleep 954.3 & sleep 954.3; sleep 954.3')
  await run('jobs', ['start', long])
  expect(await processes('n2', 'sleep 954.3')).toBeGreaterThan(1)
  expect((await run('jobs', ['cancel', long])).stdout).toBe(`${long}: cancelled`)
  expect(await processes('n2', 'sleep 954.3')).toBe(0)
  const waiting = await enqueue('true')
  expect((await run('jobs', ['cancel', waiting])).stdout).toBe(`${waiting}: cancelled`)
  expect((await run('jobs', ['start', waiting])).exitCode).toBe(1)
})

test('while the link is cut a job runs on, its state is told with its age, and it is done only when all is back', async () => {
  const id = await enqueue('--return', 'out', 'sh', '-c', 'sleep 6; echo made >out; echo said')
  await run('jobs', ['start', id])
  await lab.linkDown('n2')
  await sleep(7000)
  const cut = await jobs()
  expect(cut).toMatchObject([{ id, state: 'running', node: 'n2', silent: expect.any(String) }])
  expect((await run('jobs', ['--timeout', '3'])).stdout).toMatch(/running on n2, last heard \d+ s ago: /)
  expect((await run('jobs', ['cancel', id, '--timeout', '3'])).stderr).toMatch(/it may run there still/)
  await lab.linkUp('n2')
  expect(await jobIs(id, 'done', 60_000)).toMatchObject({ exitCode: 0 })
  expect((await sh('n1', `cat ${WORK}/out`)).stdout).toBe('made')
  expect((await run('jobs', ['log', id])).stdout).toBe('said')
})

test('a machine that is started again loses what ran there, and keeps what had ended', async () => {
  const ended = await enqueue('sh', '-c', 'echo whole; exit 6')
  const cut = await enqueue('sleep', '943.2')
  await run('jobs', ['start', ended, '--target', 'n3'])
  await run('jobs', ['start', cut, '--target', 'n3'])
  await sleep(1000)
  await lab.killHost('n3')
  expect((await jobs()).find(({ id }) => id === cut)).toMatchObject({
    state: 'running',
    silent: expect.any(String),
  })
  await lab.bootHost('n3')
  await lab.setCpus('n3', 4)
  await lab.setLoad('n3', 0.2)
  expect(await jobIs(cut, 'lost', 60_000)).toMatchObject({
    node: 'n3',
    reason: expect.stringMatching(/started again/),
  })
  expect(await jobIs(ended, 'done')).toMatchObject({ exitCode: 6 })
  expect((await run('jobs', ['log', ended])).stdout).toBe('whole')
})

const RECEIVERS = '/var/lib/resource-sharing/receiver /home/operator/.local/state/resource-sharing/receiver'

/** How often who enqueues, and who starts a job, is killed. */
const KILLS = rounds(8)

/** When to strike in a round, in parts of how long the whole takes: one after the other from the first to the last. */
function momentOf(round: number, first: number, last: number): number {
  return first + ((last - first) * (round + Math.random())) / KILLS
}

// Killed alone: the ssh that it has started goes on, as it would.
async function killed(afterMs: number, script: string, args: string[]) {
  const kill =
    'start=$1 script=$2 after=$3; shift 3; node "$start" "$script" "$@" >/dev/null 2>&1 & sleep "$after"; kill -9 $!'
  const file = `scripts/${script}.ts`
  await lab.exec('n1', ['sh', '-c', kill, 'sh', START, file, (afterMs / 1000).toFixed(3), ...args], here)
}

test(
  'who enqueues may be killed at any moment: a job is there with all that belongs to it, or not at all',
  { timeout: 30_000 * (KILLS + 2) },
  async () => {
    const began = performance.now()
    await enqueue('true')
    // About the moment at which it is there: earlier after each that was, later after each that was not.
    let delayMs = performance.now() - began
    const there = async () =>
      Number((await sh('n1', 'ls ~/.local/state/resource-sharing/jobs | wc -l')).stdout)
    for (let round = 0, before = 1; round < KILLS; round += 1) {
      const moment = delayMs * (0.85 + 0.3 * Math.random())
      await killed(moment, 'enqueue', ['--name', 'whole', 'sh', '-c', 'exit 0'])
      const now = await there()
      delayMs *= now > before ? 0.7 : 1.35
      before = now
    }
    const { stdout } = await sh('n1', 'cd ~/.local/state/resource-sharing/jobs && ls; cat */job.json | wc -l')
    const ids = stdout.split('\n').slice(0, -1)
    expect(stdout.split('\n').at(-1)).toBe(String(ids.length))
    // The first one, and of the others neither all nor none.
    expect(ids.length).toBeGreaterThan(1)
    expect(ids.length).toBeLessThan(KILLS + 1)
    const found = await jobs()
    expect(found.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect(new Set(found.map(({ state }) => state))).toEqual(new Set(['queued']))
  },
)

test(
  'who starts a job may be killed at any moment: it runs once',
  { timeout: 60_000 * (KILLS + 2) },
  async () => {
    const job = async (round: number) => await enqueue('sh', '-c', 'echo $1 >>$HOME/ran', 'sh', String(round))
    const first = await job(0)
    const began = performance.now()
    await run('jobs', ['start', first, '--target', 'n2'])
    const wholeMs = performance.now() - began
    const states: string[] = []
    for (let round = 1; round <= KILLS; round += 1) {
      const id = await job(round)
      // What who was killed before has reserved would keep this one from starting.
      await root(`rm -rf ${RECEIVERS}`, 'n2', 'n3')
      await killed(wholeMs * momentOf(round - 1, 0.05, 1.5), 'jobs', ['start', id, '--target', 'n2', '-q'])
      const record = await sh('n1', `cat ~/.local/state/resource-sharing/jobs/${id}/job.json`)
      states.push(/"now":{"state":"(\w+)"/.exec(record.stdout)?.[1] ?? 'none')
      // Somewhere else: what was begun there must not begin here.
      await run('jobs', ['start', id, '--target', 'n3', '-q'])
    }
    const done = Array.from({ length: KILLS + 1 }, () => 'done')
    await expect.poll(async () => (await jobs()).map(({ state }) => state), { timeout: 60_000 }).toEqual(done)
    const ran = [(await sh('n2', 'cat ~/ran')).stdout, (await sh('n3', 'cat ~/ran')).stdout]
      .join('\n')
      .split('\n')
    const counted = ran.filter((line) => line !== '').map(Number)
    expect(counted.toSorted((a, b) => a - b)).toEqual([...Array.from({ length: KILLS + 1 }).keys()])
    // Before anything was told to start, and after.
    expect(states).toContain('queued')
    expect(states.some((state) => state === 'starting' || state === 'running')).toBe(true)
  },
)

test('a reader that has seen enough ends the command as a pipe does here, and what it made comes back all the same', async () => {
  const offload = async (command: string) => {
    const shell = `cd ${WORK}; { node ${START} scripts/offload.ts --target n2 ${command}; echo $? >code; } 2>err | head -n 1`
    const { stdout } = await sh('n1', shell)
    return [stdout, (await sh('n1', `cat ${WORK}/code; cat ${WORK}/err`)).stdout]
  }
  expect(await offload('yes 987654')).toEqual(['987654', '141'])
  expect(await processes('n2', 'yes 987654')).toBe(0)
  const goesOn = `--return made sh -c 'echo one; sleep 2; seq 100000; echo kept >made; exit 7'`
  expect(await offload(goesOn)).toEqual(['one', '7'])
  expect((await sh('n1', `cat ${WORK}/made`)).stdout).toBe('kept')
})

const AFTER_A_WORD = '{ until [ -e /tmp/word ]; do sleep 0.1; done'

test('a job has ended when all that it has started has, and then brings back what that has made', async () => {
  const id = await enqueue(
    '--return',
    'made',
    'sh',
    '-c',
    `${AFTER_A_WORD}; echo result >made; } & echo begun`,
  )
  await run('jobs', ['start', id, '--target', 'n2'])
  expect((await jobs()).map(({ state }) => state)).toEqual(['running'])
  await sh('n2', 'echo >/tmp/word')
  expect(await jobIs(id, 'done')).toMatchObject({ exitCode: 0 })
  expect((await sh('n1', `cat ${WORK}/made`)).stdout).toBe('result')
  // Also what has thrown its environment away is in its session.
  await sh('n2', 'rm /tmp/word')
  const bare = await enqueue('sh', '-c', `env -i sh -c '${AFTER_A_WORD}; }' & echo begun`)
  await run('jobs', ['start', bare, '--target', 'n2'])
  expect((await jobs()).find((job) => job.id === bare)?.state).toBe('running')
  await sh('n2', 'echo >/tmp/word')
  expect(await jobIs(bare, 'done')).toMatchObject({ exitCode: 0 })
})

test('a job that has not made what was to come back has failed, and says how it ended', async () => {
  const id = await enqueue('--return', 'made', 'sh', '-c', 'echo said; exit 3')
  await run('jobs', ['start', id, '--target', 'n2'])
  const job = await jobIs(id, 'failed')
  expect(job).toMatchObject({
    node: 'n2',
    exitCode: 3,
    reason: '"made" was not made on n2, where it ended with 3',
  })
  expect((await run('jobs', ['log', id])).stdout).toBe('said')
})
