import { randomBytes } from 'node:crypto'
import { vi } from 'vitest'
import type { HostProcess } from '../lab/exec.ts'
import { openLab, type Lab } from '../lab/lab.ts'
import { ticksOf, type Tick } from './ticks.ts'

export const REPOSITORY = '/srv/resource-sharing'
const WORKLOADS = `${REPOSITORY}/test/workloads`
const START = ['node', `${REPOSITORY}/cli/start.mjs`]
const HOSTS = ['n1', 'n2', 'n3'] as const
export type HostName = (typeof HOSTS)[number]
type User = 'root' | 'operator'

/** A program that was started: its session, whose number is its PID, and the folder of what it writes. */
export type Workload = { pid: number; folder: string }
type Start = { user?: User; as?: string; before?: string; input?: string }

export const counter = (bytes = 1_000_000, processes = 1, threads = 1) => [
  'python3',
  `${WORKLOADS}/counter.py`,
  'FOLDER',
  ...[bytes, processes, threads].map(String),
]
export const nodeCounter = [
  'env',
  'UV_USE_IO_URING=0',
  'node',
  `${WORKLOADS}/counter.mjs`,
  'FOLDER',
  '4000000',
]
export const groups = ['python3', `${WORKLOADS}/groups.py`, 'FOLDER']

// What a migration may leave: one history, what the machines keep for receivers, hashes of files that went away.
const MAY_STAY =
  /^(?:\/(?:root|home\/operator)\/\.local\/state\/resource-sharing\/(?:held|migrations(?:\/history\.jsonl)?)|\/var\/lib\/resource-sharing\/(?:left|receiver|receiver\/(?:arrivals|departures|lock)))$/
const MARKS_OF_UNDONE = /^\/run\/resource-sharing\/undone(?:\/[a-z0-9]{12})?$/
const FIND_LEFT = `
for folder in /var/lib/resource-sharing /run/resource-sharing /root/.local/state/resource-sharing /home/operator/.local/state/resource-sharing; do
  [ ! -d $folder ] || find $folder -mindepth 1
done
find /tmp /root /home -name 'tmp.*' -o -name '*.part'
ps -eo pid=,args= | grep -E 'criu|steps\\.sh|migrate-recover|coordinator' | grep -v grep || :`

const SWEEP = `
ps -eo pid=,args= | awk '/[m]igrate-recover|[c]oordinator[.]ts/ { print $1 }' | xargs -r kill -9 || :
rm -rf /var/lib/resource-sharing/migrations /var/lib/resource-sharing/claims /var/lib/resource-sharing/receiver/reservation /run/resource-sharing/undone
rm -rf /{root,home/operator}/.local/state/resource-sharing/migrations/????????????`

/** Three machines with a tailnet, and what the tests of migrate-scum do with them. */
export class Scene {
  readonly lab: Lab
  readonly #started: Workload[] = []
  readonly #scripts: { process: HostProcess }[] = []

  private constructor(lab: Lab) {
    this.lab = lab
  }

  /** @param instance one for each file of tests, so that they run side by side */
  static async open(instance: string): Promise<Scene> {
    return new Scene(await openLab({ instance, hosts: 3 }))
  }

  async sh(node: HostName, script: string, user: User = 'root'): Promise<string> {
    const argv = ['bash', '-ec', script]
    const { exitCode, stdout, stderr } = await this.lab.exec(node, argv, { user, timeoutMs: 120_000 })
    if (exitCode !== 0) throw new Error(`${node}: ${script}: ${stderr}${stdout}`)
    return stdout
  }

  async just(node: HostName, args: readonly string[], user: User = 'root', env: Record<string, string> = {}) {
    const argv = ['just', '--justfile', `${REPOSITORY}/justfile`, ...args]
    return await this.lab.exec(node, argv, { user, env, timeoutMs: 120_000 })
  }

  /** Starts a machine, and waits until another one reaches it: on a busy machine its sshd takes a while. */
  async boot(node: HostName, from: HostName): Promise<void> {
    await this.lab.bootHost(node)
    const reached = async () =>
      (await this.just(from, ['scum-view', '--host', node, '-n', '1'])).exitCode === 0
    await vi.waitUntil(reached, { timeout: 120_000, interval: 500 })
  }

  /** `migrate-scum` without being asked. */
  async move(node: HostName, args: readonly string[], user: User = 'root') {
    // The machine may be busy: nothing here is about how soon the others answer.
    return await this.just(node, ['migrate-scum', ...args, '--timeout', '60', '--yes'], user)
  }

  /** The same, where it has to succeed. */
  async moved(node: HostName, args: readonly string[], user: User = 'root'): Promise<string> {
    const { exitCode, stdout, stderr } = await this.move(node, args, user)
    if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${stderr}${stdout}`)
    return stdout
  }

  /** One of this repository's programs, which gets signals itself. */
  async script(node: HostName, file: string, args: readonly string[]): Promise<{ process: HostProcess }> {
    const spawned = await this.lab.spawn(node, [...START, file, ...args])
    this.#scripts.push(spawned)
    return spawned
  }

  /**
   * Starts a program as a person does who wants it to go on: in a session of its own, with nothing open but files.
   *
   * @param how as a user of the machine that the lab does not know; what the shell does before; its standard input
   */
  async start(
    node: HostName,
    argv: readonly string[],
    { user = 'root', as, before = '', input = '</dev/null' }: Start = {},
  ): Promise<Workload> {
    const folder = `/var/tmp/work-${randomBytes(4).toString('hex')}`
    const bare = 'import os,sys; os.closerange(3,256); os.execvp(sys.argv[1],sys.argv[1:])'
    const command = argv.join(' ').replaceAll('FOLDER', folder)
    const own = as === undefined ? '' : `chown ${as} .`
    const become = as === undefined ? '' : `setpriv --reuid ${as} --regid ${as} --clear-groups`
    const script = `mkdir ${folder}; cd ${folder}; ${own}
      ${before}
      ${become} setsid python3 -c '${bare}' ${command} ${input} >out 2>&1 & echo $!`
    const workload = { pid: Number(await this.sh(node, script, user)), folder }
    this.#started.push(workload)
    return workload
  }

  /** A counter that counts. */
  async counting(node: HostName, argv = counter(), how: Start = {}): Promise<Workload> {
    const workload = await this.start(node, argv, how)
    await vi.waitUntil(async () => (await this.ticks(node, workload)).length > 20, { timeout: 20_000 })
    return workload
  }

  async ticks(node: HostName, { folder }: Workload, task = '0.0'): Promise<Tick[]> {
    // The dot keeps the newline at the end, without which the last tick would not be one.
    const text = await this.sh(node, `cat ${folder}/${task} 2>/dev/null || :; printf .`)
    return ticksOf(text.slice(0, -1))
  }

  /** The states of the processes of a workload on a machine, by PID. */
  async states(node: HostName, { pid }: Workload): Promise<Map<number, string>> {
    const list = await this.sh(node, `ps -eo pid=,sid=,stat= | awk '$2 == ${pid} { print $1, $3 }'`)
    return new Map(
      list
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => [Number(line.split(' ')[0]), line.split(' ')[1]?.[0] ?? '']),
    )
  }

  /** Where it has processes that are not stopped. */
  async running(workload: Workload): Promise<HostName[]> {
    const states = await Promise.all(
      HOSTS.map(async (node) => [node, await this.states(node, workload)] as const),
    )
    return states.flatMap(([node, all]) => ([...all.values()].some((state) => state !== 'T') ? [node] : []))
  }

  /** Where it has any process at all. */
  async present(workload: Workload): Promise<HostName[]> {
    const states = await Promise.all(
      HOSTS.map(async (node) => [node, await this.states(node, workload)] as const),
    )
    return states.flatMap(([node, all]) => (all.size > 0 ? [node] : []))
  }

  async goesOn(node: HostName, workload: Workload, task = '0.0'): Promise<void> {
    const before = (await this.ticks(node, workload, task)).length
    await vi.waitUntil(async () => (await this.ticks(node, workload, task)).length > before + 20, {
      timeout: 30_000,
    })
  }

  /**
   * What a migration should have taken away and has not.
   *
   * @param undone whether one was undone: its marks stay for a day
   */
  async leftovers({ undone = false } = {}): Promise<string[]> {
    const all = await Promise.all(
      HOSTS.map(async (node) => {
        const lines = (await this.sh(node, FIND_LEFT)).split('\n').filter((line) => line !== '')
        const stays = (line: string) => MAY_STAY.test(line) || (undone && MARKS_OF_UNDONE.test(line))
        return lines.filter((line) => !stays(line)).map((line) => `${node} ${line}`)
      }),
    )
    return all.flat()
  }

  /** Ends what was started, wherever it is now; what a test that has failed leaves is no business of the next one. */
  async end(): Promise<void> {
    for (const { process } of this.#scripts.splice(0))
      if (process.exitCode === undefined && process.kill('SIGKILL')) await process
    const sessions = this.#started.splice(0).map(({ pid }) => `$2 == ${pid}`)
    if (sessions.length > 0) {
      const kill = `ps -eo pid=,sid= | awk '${sessions.join(' || ')} { print $1 }' | xargs -r kill -9 || :`
      await Promise.all(HOSTS.map(async (node) => await this.sh(node, kill)))
    }
    if ((await this.leftovers({ undone: true })).length > 0)
      await Promise.all(HOSTS.map(async (node) => await this.sh(node, SWEEP)))
  }
}
