import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '../lab/processes.ts'
import { PORT, suffer, type Fault, type Scene } from './faults.ts'
import { faultsOf, ticksOf, type Tick } from './ticks.ts'

/** When the fault strikes: before a step, the coordinator waiting, or so many milliseconds after the step began. */
export type Moment = { step: string; delayMs?: number }
export type Result = {
  outcome: 'moved' | 'back' | 'gone' | 'told' | 'wrong'
  /** Whether the coordinator itself could tell, or a later `migrate-recover` had to. */
  settledBy: 'coordinator' | 'recover'
  faults: string[]
}

const TREE = '/srv/resource-sharing'
/** Where it writes its numbers. */
const logOf = ({ socket }: Scene) => (socket === undefined ? '/work/counter.log' : '/work/0.0')
const START = ['node', `${TREE}/cli/start.mjs`]
const HOSTS = ['n1', 'n2', 'n3'] as const
const SETTLE_MS = 240_000

/** Moves a counter from n1 to n2 while something goes wrong, settles it, and looks what has become of the counter. */
export async function trial(scene: Scene, fault: Fault, moment: Moment): Promise<Result> {
  const { lab, coordinator } = scene
  await fault.prepare?.(scene)
  const pid = await started(scene)
  const order = {
    pid,
    from: 'n1',
    to: 'n2',
    ship: [logOf(scene)],
    asked: scene.terminal !== undefined || scene.socket !== undefined,
    ...(moment.delayMs === undefined ? { pauseAt: moment.step } : {}),
  }
  const { process } = await lab.spawn(
    coordinator,
    [...START, 'test/migrate/coordinator.ts', JSON.stringify(order)],
    { timeoutMs: SETTLE_MS },
  )
  process.stdin.on('error', () => undefined)
  let kind: string | undefined
  let suffering: Promise<void> | undefined
  for await (const line of createInterface({ input: process.stdout })) {
    const said: { step?: string; kind?: string } = JSON.parse(line)
    kind = said.kind ?? kind
    if (said.step !== moment.step) continue
    if (moment.delayMs !== undefined) await sleep(moment.delayMs)
    suffering = suffer(fault, scene, process)
    // What lasts is there before the coordinator goes on; what is awaited for needs it to go on.
    await Promise.race([suffering, sleep(fault.name.startsWith('criu') ? 0 : 300)])
    process.stdin.write('\n')
  }
  const { stderr } = await process
  await suffering
  const settled = kind === 'moved' || kind === 'back' || kind === 'gone'
  const recover = [...START, 'scripts/migrate-recover.ts', '--all', '--json']
  const recovered = await lab.exec(coordinator, recover, { timeoutMs: SETTLE_MS })
  const faults = await look(scene, pid)
  const outcome = faults.where
  const settledBy = settled ? 'coordinator' : 'recover'
  const mayEnd = fault.mayEnd === true || (fault.mayEnd === 'and is told' && kind === 'gone')
  if (outcome === 'wrong' && mayEnd && faults.running === 0 && faults.list.length === 0) {
    if (faults.left.length === 0) return { outcome: 'gone', settledBy, faults: [] }
    // Nobody can know whether it had run on: a person has to decide, and has its images.
    if (recovered.exitCode === 6 && (await isTold(scene, recovered.stdout)))
      return { outcome: 'told', settledBy, faults: [] }
  }
  faults.list.push(...faults.left)
  if (recovered.exitCode !== 0)
    faults.list.push(`migrate-recover: ${recovered.exitCode} ${recovered.stdout} ${recovered.stderr}`)
  if (outcome === 'wrong') faults.list.push(`${faults.running} copies run; ${stderr.slice(-500)}`)
  return { outcome, settledBy, faults: faults.list }
}

/** A counter that counts on n1, or the shell that has started it at a terminal. */
async function started(scene: Scene): Promise<number> {
  const counter =
    scene.socket === undefined
      ? `python3 ${TREE}/test/migrate/counter.py ${logOf(scene)} 6000000`
      : `python3 ${TREE}/test/workloads/sockets.py /work ${scene.socket} ${scene.socket === 'server' ? '0.0.0.0' : addressOf(scene, 'n3')} ${PORT}`
  if (scene.socket === 'client') {
    const keeper = `mkdir -p /kept; setsid python3 ${TREE}/test/workloads/sockets.py /kept keeper 0.0.0.0 ${PORT} </dev/null >/dev/null 2>&1 &`
    await scene.lab.exec('n3', ['sh', '-c', keeper])
  }
  const sh = async (script: string) => (await scene.lab.exec('n1', ['sh', '-c', script])).stdout
  const ticking = async () => await waitUntil(async () => (await ticks(scene, 'n1')).length > 20, 20_000, 100)
  if (scene.terminal === undefined) {
    const pid = Number(await sh(`mkdir -p /work; setsid ${counter} </dev/null >/dev/null 2>&1 & echo $!`))
    await ticking()
    return pid
  }
  await sh(
    `mkdir -p /work; tmux -f /dev/null new-session -d -s work 'bash --norc'; tmux send-keys '${counter}' Enter`,
  )
  await ticking()
  const find = scene.terminal === 'job' ? 'pgrep -f counter[.]py' : "tmux list-panes -F '#{pane_pid}'"
  return Number(await sh(find))
}

const addressOf = ({ lab }: Scene, host: string) => lab.nodes.find(({ name }) => name === host)?.lanIp ?? ''

/** Says that the process was continued on a machine that was restarted since; and its images are there, as they were sent. */
async function isTold({ lab }: Scene, json: string): Promise<boolean> {
  const { migrations }: { migrations: { id: string; detail?: string }[] } = JSON.parse(json)
  const { id, detail } = migrations[0] ?? {}
  if (!detail?.includes('was continued on n2, which was restarted since')) return false
  const whole = `cd /var/lib/resource-sharing/migrations/${id}/in && cksum images/* | cmp - sums`
  return (await lab.exec('n2', ['sh', '-c', whole])).exitCode === 0
}

type Looked = { where: Result['outcome']; running: number; list: string[]; left: string[] }

/** Which copies count now, and what is wrong with what they wrote or left behind. */
async function look(scene: Scene, pid: number): Promise<Looked> {
  const list: string[] = []
  const before = await Promise.all([ticks(scene, 'n1'), ticks(scene, 'n2')])
  await sleep(250)
  const [source, target] = await Promise.all([ticks(scene, 'n1'), ticks(scene, 'n2')])
  list.push(...faultsOf(source, target))
  const counts = [source.length > before[0].length, target.length > before[1].length]
  const found = await Promise.all(
    HOSTS.map(
      async (host) => await scene.lab.exec(host, ['sh', '-c', `ls -d ${LEFT} 2>/dev/null; pgrep -x criu`]),
    ),
  )
  const left = found.flatMap(({ stdout }, index) =>
    stdout === '' ? [] : `left on ${HOSTS[index]}: ${stdout.replaceAll('\n', ' ')}`,
  )
  for (const host of ['n1', 'n2'] as const) {
    const there = await scene.lab.exec(host, ['sh', '-c', 'pgrep -f "counter[.]py|sockets[.]py /work"'])
    const counting = counts[host === 'n1' ? 0 : 1]
    if (there.stdout !== '' && !counting) list.push(`PID ${pid} stands still on ${host}`)
  }
  const running = counts.filter(Boolean).length
  const cut = await scene.lab.exec('n1', ['cat', '/work/closed'])
  if (scene.socket === 'client' && counts[0] && cut.stdout !== '')
    list.push(`it did not move, and has lost its connection: ${cut.stdout}`)
  if (scene.terminal !== undefined && !counts[1]) {
    // Where all who held it were killed, its folder is removed when the next one is made.
    const find = counts[0] ? `ls ${TERMINALS}` : "pgrep -f 'terminals/.*/terminal[.]py'"
    const ended = async () => (await scene.lab.exec('n2', ['sh', '-c', find])).stdout === ''
    if (!(await waitUntil(ended, 15_000, 500))) left.push('left on n2: a terminal')
  }
  return { where: running !== 1 ? 'wrong' : counts[0] ? 'back' : 'moved', running, list, left }
}

const TERMINALS = '/run/resource-sharing/terminals'
const LEFT = [
  '/var/lib/resource-sharing/migrations/*',
  '/var/lib/resource-sharing/claims/*',
  '/root/.local/state/resource-sharing/migrations/?*[0-9a-f]',
].join(' ')

async function ticks(scene: Scene, host: string): Promise<Tick[]> {
  const { stdout } = await scene.lab.exec(host, ['sh', '-c', `cat ${logOf(scene)} 2>/dev/null; echo`])
  return ticksOf(stdout)
}

/** Puts the hosts back as they were, whatever a trial has left. */
export async function cleanUp({ lab }: Scene): Promise<void> {
  const clean = [
    'pkill -KILL tmux; pkill -KILL -f "counter[.]py|sockets[.]py|terminals/.*/terminal[.]py|migrate-recover[.]ts|coordinator[.]ts"; pkill -KILL -x criu',
    'while umount -l /var/lib/resource-sharing; do :; done',
    'rm -rf /work /kept /taker /var/lib/resource-sharing /run/resource-sharing /root/.local/state/resource-sharing',
  ].join('; ')
  for (const host of HOSTS) await lab.exec(host, ['sh', '-c', clean])
}
