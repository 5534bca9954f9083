/**
 * migrate: for how long a process stands still while it moves, beside the least that criu needs on one machine
 * and beside what a person would type: `criu dump; tar | ssh tar; criu restore` over a connection that is kept.
 *
 * `plain, kept` does the same and loses nothing when it fails half-way: the original waits, with its memory, until the
 * copy stands. So it shows what that alone costs.
 *
 * `migrate-scum, job` and `shell` are the same program in the foreground of a shell at a terminal, moved alone or with it.
 *
 * Usage: just bench migrate [ROUNDS] [--sizes 16,256,1024]
 *
 * Real criu and ssh between two hosts of the lab, the ways by turns; the process itself measures. The ratio is
 * to `plain, kept`.
 */
import { parseArgs } from 'node:util'
import { openLab, type Lab } from '../test/lab/lab.ts'
import { waitUntil } from '../test/lab/processes.ts'
import { median, report, rowOf, type Row } from './report.ts'

const { values, positionals } = parseArgs({ options: { sizes: { type: 'string' } }, allowPositionals: true })
const rounds = Number(positionals[0] ?? '5')
const sizes = (values.sizes ?? '16,256,1024').split(',').map(Number)
const say = (line: string): void => void process.stderr.write(`${line}\n`)

const TREE = '/srv/resource-sharing'
const START = ['node', `${TREE}/cli/start.mjs`]
const MASTER = '-o ControlMaster=auto -o ControlPath=/run/bench-master -o ControlPersist=60'
const IMAGES = '/var/lib/bench'

type Way = {
  name: string
  to: 'n1' | 'n2'
  /** Where it is started at a terminal: what of it moves. */
  terminal?: 'job' | 'shell'
  move: (lab: Lab, pid: number) => Promise<void>
}

const WAYS: Way[] = [
  {
    name: 'floor',
    to: 'n1',
    move: async (lab, pid) =>
      await sh(lab, `criu dump -t ${pid} -D ${IMAGES} >/dev/null && criu restore -d -D ${IMAGES} >/dev/null`),
  },
  { name: 'plain', to: 'n2', move: async (lab, pid) => await sh(lab, piped(pid)) },
  {
    name: 'plain, kept',
    to: 'n2',
    move: async (lab, pid) =>
      await sh(
        lab,
        `${piped(pid, '--leave-stopped')} && kill -KILL ${pid} && ssh ${MASTER} n2.lan kill -CONT ${pid}`,
      ),
  },
  { name: 'migrate-scum', to: 'n2', move: async (lab, pid) => await migrate(lab, pid, false) },
  ...(['job', 'shell'] as const).map((terminal): Way => {
    const move: Way['move'] = async (lab, pid) => await migrate(lab, pid, true)
    return { name: `migrate-scum, ${terminal}`, to: 'n2', terminal, move }
  }),
]

async function migrate(lab: Lab, pid: number, terminal: boolean): Promise<void> {
  const order = JSON.stringify({ pid, from: 'n1', to: 'n2', asked: terminal })
  const { stdout, stderr } = await lab.exec('n1', [...START, 'test/migrate/coordinator.ts', order])
  if (!stdout.includes('"moved"')) throw new Error(`not moved: ${stdout} ${stderr}`)
}

function piped(pid: number, stopped = ''): string {
  return `criu dump ${stopped} -t ${pid} -D ${IMAGES} >/dev/null && tar -C ${IMAGES} -cf - . |
    ssh ${MASTER} n2.lan 'tar -C ${IMAGES} -xf - && criu restore -d ${stopped} -D ${IMAGES} >/dev/null'`
}

async function sh(lab: Lab, script: string, host = 'n1'): Promise<void> {
  const { exitCode, stderr } = await lab.exec(host, ['sh', '-c', script])
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`)
}

/** Seconds that a process of so many MiB stands still, by its own measure, and that the whole took. */
async function measure(
  lab: Lab,
  { to, move, terminal }: Way,
  mebibytes: number,
): Promise<{ still: number; total: number }> {
  for (const host of ['n1', 'n2'])
    await sh(
      lab,
      `rm -rf ${IMAGES} /var/tmp/gap /var/tmp/ready; mkdir ${IMAGES}; pkill -KILL tmux; pkill -KILL -f 'bench/gap[.]py|terminals/.*/terminal[.]py' || :`,
      host,
    )
  await sh(lab, `ssh ${MASTER} n2.lan true`)
  const gap = `python3 ${TREE}/bench/gap.py ${mebibytes * 1_048_576}`
  const said = async (script: string) => (await lab.exec('n1', ['sh', '-c', script])).stdout
  const started = await said(
    terminal === undefined
      ? `setsid ${gap} </dev/null >/dev/null 2>&1 & echo $!`
      : `tmux -f /dev/null new-session -d 'bash --norc'; tmux send-keys '${gap}' Enter; tmux list-panes -F '#{pane_pid}'`,
  )
  const is = async (host: string, file: string) => (await lab.exec(host, ['test', '-e', file])).exitCode === 0
  if (!(await waitUntil(() => is('n1', '/var/tmp/ready'), 60_000, 50))) throw new Error('it does not start')
  const pid = terminal === undefined ? Number(started) : Number(await said('pgrep -f bench/gap[.]py'))
  const began = performance.now()
  await move(lab, terminal === 'shell' ? Number(started) : pid)
  const total = (performance.now() - began) / 1000
  await sh(lab, `kill -USR1 ${pid}`, to)
  if (!(await waitUntil(() => is(to, '/var/tmp/gap'), 20_000, 20)))
    throw new Error(`it does not run on ${to}`)
  return { still: Number((await lab.exec(to, ['cat', '/var/tmp/gap'])).stdout), total }
}

const lab = await openLab({ instance: 'bench', hosts: 2, tailnet: false, log: say })
try {
  await lab.trustLan('n1')
  const rows: Row[] = []
  for (const size of sizes) {
    const still = new Map(WAYS.map(({ name }) => [name, [] as number[]]))
    const total = new Map(WAYS.map(({ name }) => [name, [] as number[]]))
    for (let round = 0; round < rounds; round += 1)
      for (const way of WAYS) {
        const seconds = await measure(lab, way, size)
        still.get(way.name)?.push(seconds.still * 1000)
        total.get(way.name)?.push(seconds.total * 1000)
      }
    for (const [what, each] of Object.entries({ 'stands still': still, 'in all': total })) {
      const peer = median(each.get('plain, kept') ?? [])
      for (const [program, all] of each) rows.push(rowOf(`${size} MiB, ${what}`, program, 'ms', all, peer))
    }
  }
  report('migrate', rows, 'plain, kept')
} finally {
  await lab.close()
}
