import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { coordinate } from '../migrate/coordinate.ts'
import { Person } from '../migrate/person.ts'
import { REPOSITORY, Scene, type HostName, type Workload } from '../migrate/scene.ts'
import { faultsOf } from '../migrate/ticks.ts'

// What people have started in terminals moves with them, and they find it again.
let scene: Scene
let people: Person[] = []
beforeAll(async () => {
  scene = await Scene.open('terminals')
  await scene.lab.trustLan('n1')
})
afterEach(async () => {
  await Promise.all(people.map(async (each) => await each.leaves()))
  people = []
  await scene.sh('n2', `pkill -KILL -f '[t]erminals/.*/terminal[.]py' || :; rm -rf ${TERMINALS}`)
  await scene.end()
})
afterAll(() => scene?.lab.close())

const WORKLOADS = `${REPOSITORY}/test/workloads`
const TERMINALS = '/run/resource-sharing/terminals'
const ATTACH = `just --justfile ${REPOSITORY}/justfile attach`

async function sitting(node: HostName, command?: string): Promise<Person> {
  const somebody = await Person.at(scene, node, command)
  people.push(somebody)
  return somebody
}

/** Something that counts, which somebody starts by a line typed at a terminal. */
async function counting(who: Person, line: string, node: HostName = 'n1'): Promise<Workload> {
  const folder = `/var/tmp/work-${randomBytes(4).toString('hex')}`
  await scene.sh(node, `mkdir ${folder}`)
  await who.says(line.replaceAll('FOLDER', folder))
  const workload = { pid: 0, folder }
  await vi.waitUntil(async () => (await scene.ticks(node, workload)).length > 20, { timeout: 30_000 })
  const pid = Number(await scene.sh(node, `fuser ${folder}/0.0 2>/dev/null | awk '{ print $1 }'`))
  return { pid, folder }
}

const PYTHON = `python3 ${WORKLOADS}/counter.py FOLDER 1000000`
const BASH = `bash ${WORKLOADS}/loop.sh >FOLDER/0.0`

async function wentOn(workload: Workload, from: HostName, to: HostName): Promise<void> {
  const source = await scene.ticks(from, workload)
  await scene.goesOn(to, workload)
  expect(faultsOf(source, await scene.ticks(to, workload))).toEqual([])
  expect(await scene.ticks(from, workload)).toEqual(source)
}

async function moved(pid: number, more: string[] = []): Promise<{ id: string }> {
  const json = await scene.moved('n1', [String(pid), '--target', 'n2', '--copy-files', '--json', ...more])
  const ended: { id: string } = JSON.parse(json)
  expect(ended).toMatchObject({ outcome: 'moved', state: 'running', terminal: expect.any(String) })
  return ended
}

/** A process's parent's, group's and session's numbers, its terminal, and whether that one's foreground is its group. */
async function family(
  node: HostName,
  pid: number,
): Promise<{ group: number; session: number; front: boolean; terminal: string }> {
  const text = await scene.sh(node, `ps -o pgid=,sid=,tpgid=,tty= ${pid}`)
  const [group = '', session = '', front = '', terminal = ''] = text.trim().split(/\s+/)
  return { group: Number(group), session: Number(session), front: group === front, terminal }
}

/** So many people look on by tmux. */
const attached = async (count: number) =>
  await expect
    .poll(() => scene.sh('n2', "pgrep -fc '[t]mux.* attach-session' || :"), { timeout: 30_000 })
    .toBe(String(count))
/** Nothing of a terminal is left on the target. */
const noTerminal = async () =>
  await expect.poll(() => scene.sh('n2', `ls ${TERMINALS} 2>/dev/null || :`), { timeout: 20_000 }).toBe('')

test.each([
  { what: 'a Python loop in the foreground of a shell in tmux', where: undefined, line: PYTHON },
  { what: 'a loop of bash in the foreground of ssh', where: 'ssh', line: BASH },
  { what: 'a job in the background', where: undefined, line: `${PYTHON} &` },
  {
    what: 'one that has nothing of the terminal open',
    where: 'ssh',
    line: `${PYTHON} </dev/null >FOLDER/log 2>&1 &`,
  },
])(
  '$what moves with its terminal, no tick is lost, and Ctrl-C from another machine ends it',
  async ({ where, line }) => {
    const operator =
      where === 'ssh'
        ? await sitting('n3', 'ssh -t -o StrictHostKeyChecking=no n1.lan bash --norc')
        : await sitting('n1')
    const workload = await counting(operator, line)
    const before = await family('n1', workload.pid)
    const { id } = await moved(workload.pid)
    await wentOn(workload, 'n1', 'n2')
    const after = await family('n2', workload.pid)
    expect(after).toMatchObject({ group: before.group, front: true, terminal: expect.stringMatching(/^pts/) })
    await operator.sees(`moved to n2: just attach ${id}`)
    const other = await sitting('n3', `${ATTACH} ${id}`)
    await attached(1)
    await other.presses('C-c')
    await expect.poll(() => scene.sh('n2', `ps -o pid= ${workload.pid} || :`)).toBe('')
    await noTerminal()
  },
)

test("where its number has become another one's since the preflight, it goes on where it was after a few seconds", async () => {
  const operator = await sitting('n1')
  const workload = await counting(operator, PYTHON)
  // Its terminal is made once the preflight is over.
  const hold = `holder=
    until ls ${TERMINALS}/* >/dev/null 2>&1; do sleep 0.01; done
    until [ "$holder" = ${workload.pid} ]; do
      [ -z "$holder" ] || kill $holder
      echo ${workload.pid - 1} >/proc/sys/kernel/ns_last_pid
      sleep 100 >/dev/null 2>&1 & holder=$!
    done; echo $holder`
  const [holder, move] = await Promise.all([
    scene.sh('n2', hold),
    scene.move('n1', [String(workload.pid), '--target', 'n2', '--copy-files']),
  ])
  await scene.sh('n2', `kill ${holder}`)
  expect(move).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`another process has the number ${workload.pid} now`),
  })
  await scene.goesOn('n1', workload)
  expect(faultsOf(await scene.ticks('n1', workload), [])).toEqual([])
  await noTerminal()
})

test('a whole shell moves with its jobs: the one in front, the one behind, the one that is stopped; and its old terminal closes', async () => {
  const operator = await sitting('n1')
  const behind = await counting(operator, `${PYTHON} &`)
  await operator.says('cat')
  await operator.presses('C-z')
  await operator.sees('Stopped')
  const front = await counting(operator, PYTHON)
  const shell = await operator.pid()
  const { id } = await moved(shell)
  await wentOn(behind, 'n1', 'n2')
  await wentOn(front, 'n1', 'n2')
  expect(await scene.sh('n1', `ps -o pid= ${shell} || :`)).toBe('')
  expect(await family('n2', shell)).toMatchObject({ group: shell, session: shell, front: false })
  const other = await sitting('n3', `${ATTACH} ${id}`)
  await attached(1)
  await other.presses('C-z')
  await other.sees(/Stopped.*counter/)
  await other.says('stty size; jobs; fg %3')
  await other.sees(/30 100[^]*Stopped +cat[^]*counter/)
  await scene.goesOn('n2', front)
  await other.resizes(70, 20)
  await other.presses('C-c')
  await other.says('stty size; tty')
  await other.sees(/20 70\s+\/dev\/pts\/\d/)
  await other.says('kill -KILL %1 %2; wait; exit')
  await noTerminal()
})

test('less and its screen move: it is in raw mode there, its size is as it was, and it takes keys', async () => {
  const operator = await sitting('n1')
  const file = '/var/tmp/numbers'
  await scene.sh('n1', `seq 1000 9999 >${file}`)
  await scene.sh('n2', `seq 1000 9999 >${file}`)
  await operator.says(`less ${file}`)
  await operator.sees('1028')
  const pid = Number(await scene.sh('n1', `pgrep -x less`))
  const modes = async (node: HostName) =>
    await scene.sh(node, `stty -g -F /dev/$(ps -o tty= ${pid}); stty size -F /dev/$(ps -o tty= ${pid})`)
  const before = await modes('n1')
  expect(before).toMatch(/30 100$/)
  const { id } = await moved(pid)
  expect(await modes('n2')).toBe(before)
  await operator.sees(`moved to n2: just attach ${id}`)
  await operator.says('echo back in $((6 * 7))')
  await operator.sees(/back in 42/)
  const other = await sitting('n3', ATTACH)
  await other.sees('1028')
  await other.presses('Space')
  await other.sees('1057')
  await other.says('/4321')
  await other.sees('4321')
  await other.presses('q')
  await expect.poll(() => scene.sh('n2', `ps -o pid= ${pid} || :`)).toBe('')
})

/** Kills what holds the terminal of the process, by their roles. */
async function kill(...roles: string[]): Promise<void> {
  const words = roles.join('|')
  await scene.sh('n2', `kill -KILL $(awk '$1 ~ /^(${words})$/ { print $2 }' ${TERMINALS}/*/holders)`)
}

test.each([
  { what: 'the holder', when: 'commit', roles: ['holder'], again: false },
  { what: 'who stands by', when: 'kill', roles: ['standby'], again: false },
  { what: 'the leader', when: 'commit', roles: ['leader'], again: true },
  { what: 'all that hold it', when: 'commit', roles: ['holder', 'standby', 'leader'], again: true },
  { what: 'all that hold it', when: 'kill', roles: ['leader', 'standby', 'holder'], again: true },
])(
  'killed before the step $when, $what takes nothing along: a copy of no terminal is restored again',
  async ({ when, roles, again }) => {
    const operator = await sitting('n1')
    const workload = await counting(operator, PYTHON)
    const migration = await coordinate(scene, 'n1', workload, { pauseAt: when, terminal: true })
    const began = async () => await scene.sh('n2', `cut -d ' ' -f 22 /proc/${workload.pid}/stat`)
    const first = await began()
    await kill(...roles)
    const ended = await migration.goOn()
    expect(ended, ended.detail).toMatchObject({ kind: 'moved' })
    await wentOn(workload, 'n1', 'n2')
    expect((await began()) === first).toBe(!again)
    await expect
      .poll(() => scene.sh('n2', `awk '{ print $1 }' ${TERMINALS}/*/holders | sort | xargs`))
      .toBe('holder leader standby')
    await scene.sh('n2', `kill -INT ${workload.pid}`)
    await noTerminal()
  },
)

test('holders that are killed one after the other, and tmux, are replaced: who looks on sees the process go on', async () => {
  const operator = await sitting('n1')
  const workload = await counting(
    operator,
    `python3 -c 'import time
while True: print(time.time_ns()); time.sleep(0.1)' & ${PYTHON}`,
  )
  const shell = await operator.pid()
  const { id } = await moved(shell)
  const other = await sitting('n3', `${ATTACH} ${id}`)
  const goesOn = async () => {
    const before = (await other.screen()).trim().split('\n').at(-1)
    expect(before).toMatch(/^\d{19}$/)
    await expect.poll(async () => (await other.screen()).trim().split('\n').at(-1)).not.toBe(before)
  }
  await attached(1)
  await other.sees(/\d{19}/)
  for (const _ of [1, 2, 3]) {
    await kill('holder')
    await goesOn()
  }
  await scene.sh('n2', 'tmux -L resource-sharing kill-server')
  await other.sees(/server exited|lost/)
  const again = await sitting('n3', `${ATTACH} ${id}`)
  await again.sees(/\d{19}/)
  await scene.goesOn('n2', workload)
  await scene.sh('n2', `kill -HUP ${shell}`)
  await noTerminal()
})

test.each([
  { what: 'which ends the original: the copy is the process', how: PYTHON, kind: 'moved' },
  {
    what: 'and the original ignores that: it runs, and the copy is ended',
    how: `(trap '' HUP TERM; exec ${PYTHON})`,
    kind: 'back',
  },
])('the old terminal is closed in the middle, $what', async ({ how, kind }) => {
  const operator = await sitting('n1')
  const workload = await counting(operator, how)
  const migration = await coordinate(scene, 'n1', workload, { pauseAt: 'kill', terminal: true })
  await operator.leaves()
  await expect
    .poll(() => scene.sh('n1', `ps -o stat= ${workload.pid} || :`))
    .toMatch(kind === 'moved' ? /^$/ : /^S/)
  expect(await migration.goOn()).toMatchObject({ kind })
  if (kind === 'moved') return await wentOn(workload, 'n1', 'n2')
  await scene.goesOn('n1', workload)
  expect(await scene.present({ ...workload, pid: (await family('n1', workload.pid)).session })).toEqual([
    'n1',
  ])
  await noTerminal()
})

test('a move that is undone leaves no terminal there, and the shell here is told how to bring the job back', async () => {
  const operator = await sitting('n1')
  const workload = await counting(operator, PYTHON)
  const migration = await coordinate(scene, 'n1', workload, { pauseAt: 'commit', terminal: true })
  await migration.kill(true)
  expect(await scene.just('n1', ['migrate-recover', '--all'])).toMatchObject({ exitCode: 0 })
  await scene.goesOn('n1', workload)
  await operator.sees(/PID \d+ was not moved, and goes on here in the background: fg brings it back/)
  await noTerminal()
  await operator.says('fg')
  await expect.poll(async () => (await family('n1', workload.pid)).front).toBe(true)
  await operator.presses('C-c')
  await operator.says('echo back in $((6 * 7))')
  await operator.sees(/back in 42/)
})

test('without tmux the terminal is connected directly: size, Ctrl-C, Ctrl-B d, and what was shown before', async () => {
  await scene.sh('n2', 'mv /usr/bin/tmux /usr/bin/tmux.away')
  try {
    const operator = await sitting('n1')
    const shell = await operator.pid()
    const { id } = await moved(shell)
    const other = await sitting('n3', 'bash --norc')
    await other.says(`${ATTACH} ${id}`)
    await other.sees('Ctrl-B d leaves it')
    await other.says('echo one $((6 * 7)); stty size')
    await other.sees(/one 42\s+30 100/)
    await other.resizes(81, 25)
    await other.says('stty size; sleep 1000')
    await other.sees(/25 81/)
    await other.presses('C-c')
    await other.presses('C-b', 'd')
    await other.sees(/left: it goes on/)
    await other.says('clear')
    await other.tmux('clear-history')
    await other.says(ATTACH)
    await other.sees(/one 42[^]*25 81/)
    await other.says('exit')
    await other.sees(/it has ended/)
    await noTerminal()
    expect(await scene.sh('n2', `ps -o pid= ${shell} || :`)).toBe('')
  } finally {
    await scene.sh('n2', 'mv /usr/bin/tmux.away /usr/bin/tmux')
  }
})

test('what there is to attach to is listed; without it, and without a terminal here, it is said', async () => {
  expect(await scene.just('n3', ['attach', '--list'])).toMatchObject({
    exitCode: 0,
    stdout: '',
    stderr: 'no process that has moved has a terminal',
  })
  const operator = await sitting('n1')
  const workload = await counting(operator, PYTHON)
  const { id } = await moved(workload.pid)
  const listed = JSON.parse((await scene.just('n3', ['attach', '--list', '--json'])).stdout)
  expect(listed).toEqual({
    terminals: [{ id, node: 'n2', pid: workload.pid, command: 'python3', uid: 0 }],
    unasked: [],
  })
  expect((await scene.just('n1', ['attach', '--list'])).stdout).toMatch(
    new RegExp(`ID +NODE +PID +COMMAND\\n${id} +n2 +${workload.pid} +python3`),
  )
  expect(await scene.just('n3', ['attach', id])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^there is no terminal here/),
  })
  await scene.sh('n2', `kill -INT ${workload.pid}`)
  await noTerminal()
  const late = await sitting('n3', 'bash --norc')
  await late.says(`${ATTACH} ${id}; echo exit $?`)
  await late.sees(new RegExp(`there is no terminal "${id}"[^]*exit 1`))
})
