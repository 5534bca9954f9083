import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from './cache.ts'
import { startDaemon } from './daemon.ts'
import { LabError } from './error.ts'
import { cgroupOf } from './freezer.ts'
import { type LabRecord, readHostRecord, writeHostRecord } from './host-record.ts'
import type { HostLayout, Layout } from './layout.ts'
import { netnsPath } from './network.ts'
import { isAlive, killRecorded, onlyChild, waitUntil } from './processes.ts'

const repository = join(import.meta.dirname, '..', '..')

const prepare = async (host: HostLayout, hosts: readonly HostLayout[]): Promise<void> => {
  for (const folder of [host.disk, host.scratch, host.root, host.shared]) {
    await mkdir(folder, { recursive: true, mode: 0o755 })
  }
  await rm(join(host.shared, 'ready'), { force: true })
  const names = hosts.map((other) => `${other.lanIp} ${other.name}.lan`)
  const own = `127.0.0.1 localhost\n127.0.1.1 ${host.name}\n::1 localhost\n`
  await writeFile(join(host.shared, 'hosts'), `${own}${names.join('\n')}\n`)
  if (!(await exists(host.loadFile))) await writeFile(host.loadFile, `0.00 0.00 0.00 1/50 ${host.firstPid}\n`)
}

const makeCgroups = async (lab: Layout, host: HostLayout): Promise<void> => {
  for (const controller of ['cpu', 'freezer']) {
    const root = join('/sys/fs/cgroup', controller)
    if (await exists(join(root, 'cgroup.procs')))
      await mkdir(join(root, cgroupOf(lab.id, host.name)), { recursive: true })
  }
}

const initEnvironment = (lab: Layout, host: HostLayout, record: LabRecord): Record<string, string> => ({
  LAB_NAME: host.name,
  LAB_LAYERS: record.layers.join(':'),
  LAB_DISK: host.disk,
  LAB_SCRATCH: host.scratch,
  LAB_ROOT: host.root,
  LAB_SHARED: host.shared,
  LAB_ADDRESS: host.lanIp,
  LAB_FIRST_PID: String(host.firstPid),
  LAB_REPOSITORY: repository,
  LAB_NODE: process.execPath,
  LAB_TAILSCALE: record.tailscale ?? '',
  LAB_TAILSCALED: record.tailscaled ?? '',
  LAB_SERVICES: `sshd cron${record.tailnet ? ' tailscaled' : ''}`,
  LAB_CGROUP: cgroupOf(lab.id, host.name),
})

const lastWords = async (host: HostLayout): Promise<string> =>
  (await readFile(host.logFile, 'utf8').catch(() => '')).trim().split('\n').at(-1) ?? ''

/** Boots a host, for the first time or again with the disk it had, and returns when its services listen. */
export const bootHost = async (
  lab: Layout,
  host: HostLayout,
  hosts: readonly HostLayout[],
  record: LabRecord,
): Promise<void> => {
  await prepare(host, hosts)
  await makeCgroups(lab, host)
  const apart = ['--mount', '--pid', '--uts', '--ipc', '--propagation', 'private']
  const namespaces = [...apart, '--fork', '--kill-child']
  const script = join(import.meta.dirname, 'in-host', 'init.sh')
  const outer = await startDaemon(
    ['nsenter', `--net=${netnsPath(host.netns)}`, '--', 'unshare', ...namespaces, '--', 'bash', script],
    { logFile: host.logFile, env: initEnvironment(lab, host, record) },
  )
  const init = await onlyChild(outer, 10_000)
  await writeHostRecord(host, { supervisor: outer, init })
  const ready = join(host.shared, 'ready')
  const settled = async (): Promise<boolean> => (await exists(ready)) || !(await isAlive(init))
  await waitUntil(settled, 60_000, 10)
  if (!(await exists(ready))) throw new LabError(`${host.name} did not boot: ${await lastWords(host)}`)
}

/** Ends every process of a host at once, as a power cut would. Its disk and its place in the network stay. */
export const killHost = async (host: HostLayout): Promise<void> => {
  const record = await readHostRecord(host)
  // PID 1 of a namespace takes all other processes of that namespace with it.
  if (record === undefined) return
  await killRecorded([record.init])
  // The supervisor ends by itself once it has reaped the host.
  await waitUntil(async () => !(await isAlive(record.supervisor)), 2000, 5)
  await killRecorded([record.supervisor])
}
