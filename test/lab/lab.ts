import { mkdir } from 'node:fs/promises'
import pMap from 'p-map'
import { cleanUp } from './cleanup.ts'
import { bindControls, type Controls } from './controls/controls.ts'
import { LabError } from './error.ts'
import { enterArgv, execIn, type ExecOptions, type ExecResult, type HostProcess, spawnIn } from './exec.ts'
import { startHeadscale } from './headscale.ts'
import type { Host } from './host-handle.ts'
import { type LabRecord, readLabRecord, writeLabRecord } from './host-record.ts'
import { bootHost } from './host.ts'
import { type HostLayout, hostLayoutOf, type Layout, layoutOf, maximumHosts } from './layout.ts'
import { type Lock, takeLock } from './lock.ts'
import { makeNetwork } from './network.ts'
import { needRootAndLinux, provision } from './provision/provision.ts'
import type { Log } from './run.ts'
import { join, tailnetIp, waitForPeers } from './tailnet.ts'

export interface LabOptions {
  /** Instances share nothing but the cache and may be up side by side. Default `lab`. */
  readonly instance?: string
  /** Default 4. */
  readonly hosts?: number
  /** Without a tailnet the hosts have sshd and cron on their LAN addresses only, and are up much sooner. Default true. */
  readonly tailnet?: boolean
  readonly log?: Log
  /** How long to wait for another process that has the same instance up. Default 10 min. */
  readonly lockTimeoutMs?: number
}

export interface LabNode {
  readonly name: string
  readonly lanIp: string
  /** Undefined without a tailnet, and for a host that is down or logged out. */
  readonly tailnetIp: string | undefined
}

/** A lab that is up. Every method takes a host's name, `n1` and so on, first. */
export interface Lab extends Controls {
  readonly nodes: readonly LabNode[]
  /** Runs a command to its end; throws only when the host does not run. */
  exec: (node: string, argv: readonly string[], options?: ExecOptions) => Promise<ExecResult>
  /** Starts a command; `process.kill(signal)` reaches the command inside. */
  spawn: (node: string, argv: readonly string[], options?: ExecOptions) => Promise<{ process: HostProcess }>
  /** The argv that starts a command there, for a program of this machine that starts commands itself. */
  enter: (node: string, argv: readonly string[], options?: ExecOptions) => Promise<readonly string[]>
  /** Lets go of the instance but leaves it up, for `attachLab` or another process. */
  leave: () => Promise<void>
  /** Takes the whole instance down: processes, namespaces, disks. */
  close: () => Promise<void>
}

const labOf = async (layout: Layout, record: LabRecord, lock: Lock | undefined): Promise<Lab> => {
  const hosts = hostsOf(layout, record.hosts)
  const byName = new Map(
    hosts.map((host) => [host.name, { ...host, lab: layout, record, neighbours: hosts }]),
  )
  const hostNamed = (name: string): Host => {
    const host = byName.get(name)
    if (host === undefined) throw new LabError(`no host ${name}: there are n1 to n${record.hosts}`, 2)
    return host
  }
  const nodes = await pMap(
    hosts,
    async (host) => ({
      name: host.name,
      lanIp: host.lanIp,
      tailnetIp: record.tailnet ? await tailnetIp(host).catch(() => undefined) : undefined,
    }),
    { concurrency: 8 },
  )
  return {
    nodes,
    exec: async (node, argv, options) => await execIn(hostNamed(node), argv, options),
    spawn: async (node, argv, options) => await spawnIn(hostNamed(node), argv, options),
    enter: async (node, argv, options) =>
      await enterArgv(hostNamed(node), argv, { ...options, forward: true }),
    ...bindControls(hostNamed),
    leave: async () => await lock?.release(),
    close: async () => {
      await cleanUp(layout)
      await lock?.release()
    },
  }
}

export const hostsOf = (layout: Layout, count: number): readonly HostLayout[] =>
  Array.from({ length: count }, (_, position) => hostLayoutOf(layout, position + 1))

const bringUp = async (layout: Layout, count: number, wantTailnet: boolean, log: Log): Promise<LabRecord> => {
  const { layers, tailnet } = await provision(wantTailnet, log)
  await cleanUp(layout)
  await mkdir(layout.runFolder, { recursive: true, mode: 0o700 })
  const hosts = hostsOf(layout, count)
  const started = performance.now()
  log(`starting ${count} hosts${wantTailnet ? ' and their tailnet' : ''}`)
  await makeNetwork(layout, hosts)
  const base: LabRecord = { hosts: count, tailnet: wantTailnet, layers: [...layers] }
  const booting = { ...base, ...tailnet }
  const boot = async (): Promise<void> => {
    await pMap(hosts, async (host) => await bootHost(layout, host, hosts, booting), { concurrency: 8 })
  }
  const [authKey] = await Promise.all([
    tailnet === undefined ? undefined : startHeadscale(layout, tailnet.headscale),
    boot(),
  ])
  const record: LabRecord = { ...booting, authKey }
  await writeLabRecord(layout.recordFile, record)
  if (authKey !== undefined) {
    await pMap(hosts, async (host) => await join(host, authKey), { concurrency: 8 })
    await waitForPeers(hosts)
  }
  log(`${count} hosts up in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return record
}

/**
 * Brings an instance up from nothing (an earlier one of the same name is taken down first, however it was left)
 * and keeps it for this process until `close`.
 */
export const openLab = async (options: LabOptions = {}): Promise<Lab> => {
  needRootAndLinux()
  const { instance = 'lab', hosts = 4, tailnet = true, log = () => undefined } = options
  if (!Number.isInteger(hosts) || hosts < 1 || hosts > maximumHosts) {
    throw new LabError(`hosts must be 1 to ${maximumHosts}, not ${hosts}`, 2)
  }
  const layout = layoutOf(instance)
  const lock = await takeLock(layout.lockFile, options.lockTimeoutMs ?? 600_000, `instance ${instance}`)
  try {
    return await labOf(layout, await bringUp(layout, hosts, tailnet, log), lock)
  } catch (error) {
    await cleanUp(layout).catch(() => undefined)
    await lock.release()
    throw error
  }
}

/** The lab of an instance that an earlier command brought up. */
export const attachLab = async (instance: string): Promise<Lab> => {
  needRootAndLinux()
  const layout = layoutOf(instance)
  const record = await readLabRecord(layout.recordFile)
  if (record === undefined) throw new LabError(`instance ${instance} is not up: see lab up`)
  return await labOf(layout, record, undefined)
}
