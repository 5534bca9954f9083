import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, Scene, type HostName, type Workload } from '../migrate/scene.ts'
import { faultsOf } from '../migrate/ticks.ts'
import { rounds } from '../rounds.ts'

// What criu carries only when both ends are told that it may, and what comes and goes meanwhile.
const LOOPS = rounds(3)
let scene: Scene
beforeAll(async () => {
  scene = await Scene.open('carried')
})
afterEach(() => scene?.end())
afterAll(() => scene?.lab.close())

const program = (...words: string[]) => [
  'python3',
  `${REPOSITORY}/test/workloads/carried.py`,
  'FOLDER',
  ...words,
]

/** Moves it, and says what is wrong then: with its numbers, with what it looks at itself, with where it is, with what is left. */
async function wrongOf(workload: Workload): Promise<string[]> {
  await scene.moved('n1', [String(workload.pid), '--target', 'n2', '--copy-files'])
  await scene.goesOn('n2', workload)
  const wrong = await scene.sh('n2', `cat ${workload.folder}/wrong 2>/dev/null || :`)
  await expect.poll(() => scene.leftovers()).toEqual([])
  return [
    ...faultsOf(await scene.ticks('n1', workload), await scene.ticks('n2', workload)),
    ...(await scene.present(workload)).filter((node) => node !== 'n2'),
    ...(wrong === '' ? [] : [wrong]),
  ]
}

/** Whether somebody else could have the lock. */
const lockIsFree = (way: string, folder: string) =>
  `python3 -c 'import fcntl
try: fcntl.${way === 'flock' ? 'flock' : 'lockf'}(open("${folder}/lock", "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB); print("free")
except OSError: print("held")'`

test.each(['flock', 'posix'])(
  'a lock (%s) is held there, and the plan says that it is no longer held here',
  async (way) => {
    const workload = await scene.counting('n1', program(way))
    const args = [String(workload.pid), '--target', 'n2', '--copy-files', '--dry-run']
    const planned = await scene.move('n1', args)
    expect(planned.stdout).toContain(`holds its lock on ${workload.folder}/lock there, and no longer here`)
    expect(await scene.sh('n1', lockIsFree(way, workload.folder))).toBe('held')
    expect(await wrongOf(workload)).toEqual([])
    expect(await scene.sh('n2', lockIsFree(way, workload.folder))).toBe('held')
    expect(await scene.sh('n1', lockIsFree(way, workload.folder))).toBe('free')
  },
)

test.each([
  ['of a few bytes', 10],
  ['of 20 MiB', 20 * 2 ** 20],
])('a file without a name %s goes along with its content', async (_, bytes) => {
  expect(await wrongOf(await scene.counting('n1', program('deleted', String(bytes))))).toEqual([])
})

test('a program whose file has been deleted, as an upgrade does, goes along', async () => {
  const [, ...words] = program('program')
  const before = 'cp "$(readlink -f /usr/bin/python3)" ./python'
  expect(await wrongOf(await scene.counting('n1', ['FOLDER/python', ...words], { before }))).toEqual([])
})

test(
  'a loop whose children come and go moves every time, and misses no turn',
  { timeout: 60_000 * (LOOPS + 2) },
  async () => {
    // Its file is opened by name at each turn, so it is the machine's where the turn is.
    const script = `number=0; while :; do number=$((number + 1)); echo "$number $(date +%s.%N)" >>0.0; sleep 0.1; done`
    const workload = await scene.start('n1', ['sh', '-c', `'${script}'`])
    await scene.goesOn('n1', workload)
    let [from, to]: HostName[] = ['n1', 'n2']
    const turns = new Map<number, number>()
    for (let count = 0; count < LOOPS && from && to; count += 1) {
      await scene.moved(from, [String(workload.pid), '--target', to, '--copy-files'])
      expect(await scene.present(workload)).toEqual([to])
      await scene.goesOn(to, workload)
      for (const node of [from, to])
        for (const { number, at } of await scene.ticks(node, workload)) {
          expect(turns.get(number) ?? at, `turn ${number}`).toBe(at)
          turns.set(number, at)
        }
      await scene.sh(from, `rm ${workload.folder}/0.0`)
      ;[from, to] = [to, from]
    }
    expect([...turns.keys()].toSorted((a, b) => a - b)).toEqual(
      [...turns.keys()].map((_, index) => index + 1),
    )
  },
)

/** How people start what is to go on when they have left, by ssh from another machine. */
const LEFT = {
  'nohup in a command of ssh': (command: string) => `ssh -o StrictHostKeyChecking=accept-new n1 '${command}'`,
  'nohup at a prompt': (command: string) =>
    `{ sleep 1; echo '${command}'; sleep 2; echo exit; } | TERM=dumb ssh -tt -o StrictHostKeyChecking=accept-new n1 bash --norc -i`,
}

test.each(Object.entries(LEFT))(
  'what was started by %s, and whose session has ended, moves, moves on, and loses nothing',
  async (_, by) => {
    const folder = `/var/tmp/work-left${Math.random().toString(36).slice(2)}`
    const command = `mkdir ${folder}; cd ${folder}; nohup python3 ${REPOSITORY}/test/workloads/counter.py ${folder} 1000000 2 </dev/null >out 2>&1 &`
    await scene.sh('n3', `${by(command)} >/dev/null`)
    const workload = { pid: Number(await scene.sh('n1', `pgrep -o -f '[c]ounter.py ${folder}'`)), folder }
    await scene.goesOn('n1', workload)
    const session = Number(await scene.sh('n1', `ps -o sid= -p ${workload.pid}`))
    expect(session).not.toBe(workload.pid)
    await expect.poll(() => scene.sh('n1', `ls -d /proc/${session} 2>/dev/null || :`)).toBe('')
    for (const [from, to] of [
      ['n1', 'n2'],
      ['n2', 'n3'],
    ] as const) {
      await scene.moved(from, [String(workload.pid), '--target', to, '--copy-files'])
      await scene.goesOn(to, workload)
      expect(faultsOf(await scene.ticks(from, workload), await scene.ticks(to, workload))).toEqual([])
      expect(await scene.sh(from, `pgrep -f '[c]ounter.py ${folder}' || :`)).toBe('')
      await expect.poll(() => scene.leftovers()).toEqual([])
    }
    await scene.sh('n3', `pgrep -f '[c]ounter.py ${folder}' | xargs kill`)
  },
)
