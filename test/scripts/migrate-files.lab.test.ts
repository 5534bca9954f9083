import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'

/** What goes along with a process arrives as it was when the process was frozen; and the process is what it was. */

/** With `MIGRATE_MOVES=20` each of those that write moves so often. */
const MOVES = Number(process.env['MIGRATE_MOVES'] ?? 1)
const REPOSITORY = '/srv/resource-sharing'
const BARE = 'import os,sys; os.closerange(3,256); os.execvp(sys.argv[1],sys.argv[1:])'
const NODES = ['n1', 'n2'] as const
type Node = (typeof NODES)[number]

let lab: Lab
const started: number[] = []
beforeAll(async () => {
  lab = await openLab({ instance: 'files', hosts: 2, tailnet: false })
  for (const node of NODES) await lab.trustLan(node)
})
afterEach(async () => {
  const pids = started.splice(0).map((pid) => `$1 == ${pid} || $2 == ${pid}`)
  if (pids.length === 0) return
  const end = `ps -eo pid=,sid= | awk '${pids.join(' || ')} { print $1 }' | xargs -r kill -9; rm -rf /dev/shm/* /var/tmp/*`
  await Promise.all(NODES.map(async (node) => await sh(node, end)))
})
afterAll(async () => await lab?.close())

async function sh(node: Node, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.exec(node, ['bash', '-ec', script], { timeoutMs: 120_000 })
  if (exitCode !== 0) throw new Error(`${node}: ${script}: ${stderr}${stdout}`)
  return stdout
}

/** Starts a program in a new folder, in a session of its own. */
async function start(argv: string, before = ''): Promise<{ pid: number; folder: string }> {
  const folder = `/var/tmp/work-${randomBytes(4).toString('hex')}`
  const command = argv.replaceAll('FOLDER', folder)
  const script = `mkdir ${folder}; cd ${folder}; ${before.replaceAll('FOLDER', folder)}
    setsid python3 -c '${BARE}' ${command} </dev/null >out 2>&1 & echo $!`
  const pid = Number(await sh('n1', script))
  started.push(pid)
  return { pid, folder }
}

async function move(from: Node, pid: number, options: readonly string[] = ['--yes']) {
  const to = from === 'n1' ? 'n2.lan' : 'n1.lan'
  const recipe = ['just', '--justfile', `${REPOSITORY}/justfile`, 'migrate-scum', String(pid), '--copy-files']
  const argv = [...recipe, '--target', to, '--hosts', to, ...options]
  return await lab.exec(from, argv, { timeoutMs: 120_000 })
}

async function moved(from: Node, pid: number): Promise<Node> {
  const { exitCode, stderr } = await move(from, pid)
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' })
  return from === 'n1' ? 'n2' : 'n1'
}

/** How far a program has come, and how many of its updates are not where they belong. */
async function told(node: Node, log: string): Promise<{ number: number; lost: number }> {
  await sh(node, `rm -f ${log}; : >${log}.ask`)
  const text = await vi.waitUntil(async () => await sh(node, `cat ${log} 2>/dev/null || :`), {
    timeout: 30_000,
  })
  const [number = Number.NaN, lost = Number.NaN] = text.split(' ').map(Number)
  return { number, lost }
}

test.each([
  ['a mapped file on tmpfs', 'mapped /dev/shm/updates'],
  ['a mapped file on an overlay', 'mapped FOLDER/updates'],
  // The lab's own folder lies on the disk of the machine.
  ['a mapped file on a disk', 'mapped /run/lab/updates'],
  ['multiprocessing.shared_memory of two processes', 'memory psm_updates'],
])('no update of %s is lost, there and back', { timeout: 60_000 + MOVES * 30_000 }, async (_, what) => {
  const log = '/run/updates'
  const { pid } = await start(`python3 ${REPOSITORY}/test/workloads/updates.py ${what} ${log}`)
  let node: Node = 'n1'
  let before = await told(node, log)
  for (let count = 0; count < MOVES; count += 1) {
    node = await moved(node, pid)
    const after = await told(node, log)
    expect(after.lost).toBe(0)
    expect(after.number).toBeGreaterThan(before.number)
    before = after
  }
  await Promise.all(NODES.map(async (each) => await sh(each, 'rm -f /run/lab/updates')))
})

test.each([
  ['that has a write-ahead log', 'wal', /sqlite: .* could not write there/],
  ['that would not be written to on another inode', 'database', /sqlite: .* could not write there/],
])('an SQLite database %s: it is refused for that, and loses nothing', async (_, way, why) => {
  const log = '/run/updates'
  const { pid } = await start(`python3 ${REPOSITORY}/test/workloads/updates.py ${way} FOLDER/database ${log}`)
  await told('n1', log)
  expect(await move('n1', pid)).toMatchObject({ exitCode: 5, stderr: expect.stringMatching(why) })
  const { number, lost } = await told('n1', log)
  expect({ lost, goesOn: number > 0 }).toEqual({ lost: 0, goesOn: true })
})

test('holes stay holes, two names of a file stay two names of one file, and its attributes go with it', async () => {
  const log = '/run/names'
  const { pid, folder } = await start(`python3 ${REPOSITORY}/test/workloads/names.py FOLDER ${log}`)
  await told('n1', log)
  let node: Node = 'n1'
  for (let count = 0; count < 2; count += 1) {
    node = await moved(node, pid)
    expect((await told(node, log)).lost).toBe(0)
    const look = `cd ${folder}; stat -c '%s %b' holes; [ one -ef two ] && stat -c %h one
      python3 -c 'import os; print(os.getxattr("one", "user.colour").decode())'`
    const [size = '', used = '', ...rest] = (await sh(node, look)).split(/\s/)
    expect([size, ...rest]).toEqual([String(2 ** 28), '2', 'green'])
    expect(Number(used)).toBeLessThan(1000)
  }
})

test('attributes of processes and threads that criu does not carry are those that they were, and so are the others', async () => {
  const { pid, folder } = await start(`python3 ${REPOSITORY}/test/workloads/attributes.py FOLDER`)
  const read = `until [ -e ${folder}/told ]; do sleep 0.05; done; cat ${folder}/told`
  const before = await sh('n1', read)
  const node = await moved('n1', pid)
  await sh(node, `rm -f ${folder}/told; : >${folder}/ask`)
  expect((await sh(node, read)).split('\n')).toEqual(before.split('\n'))
})
