import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { cacheRoot } from './cache.ts'
import { LabError } from './error.ts'

/** Names, addresses and paths of one instance of the lab. All of it follows from the instance's name. */
export interface Layout {
  readonly instance: string
  /** What its namespaces and control groups are called: two checkouts on one machine have nothing in common. */
  readonly id: string
  readonly runFolder: string
  readonly lockFile: string
  readonly recordFile: string
  readonly switchNetns: string
  /** Matches the network namespaces of this instance, and of no other. */
  readonly netnsPattern: RegExp
}

/** What is fixed about host number `index` (from 1). */
export interface HostLayout {
  readonly name: string
  readonly index: number
  readonly netns: string
  readonly lanIp: string
  /** The first of the {@link pidsPerHost} that the host gives out. */
  readonly firstPid: number
  readonly folder: string
  /** Upper layer of its file system: its disk, kept when it is killed and booted. */
  readonly disk: string
  readonly scratch: string
  readonly root: string
  /** Seen inside as /run/lab. */
  readonly shared: string
  readonly loadFile: string
  readonly recordFile: string
  readonly faultsFile: string
  readonly logFile: string
}

export const switchIp = '10.99.0.1'
export const maximumHosts = 64
/**
 * A restored process must find its PID free on another host: however long a lab is used, no host should come to the
 * numbers of the next one. A kernel has 4 194 304 (PID_MAX_LIMIT).
 */
export const pidsPerHost = 64_000
/** Where the repository is seen inside a host. */
export const repositoryInside = '/srv/resource-sharing'

const checkout = createHash('sha256')
  .update(join(import.meta.dirname, '..', '..'))
  .digest('hex')
  .slice(0, 4)

export const layoutOf = (instance: string): Layout => {
  if (!/^[a-z][a-z0-9-]{0,23}$/.test(instance)) {
    throw new LabError(`instance "${instance}" must be 1 to 24 of a-z, 0-9 and -, and begin with a letter`, 2)
  }
  const id = `${checkout}-${instance}`
  const runFolder = join(cacheRoot(), 'run', id)
  return {
    instance,
    id,
    runFolder,
    lockFile: join(cacheRoot(), 'locks', `run-${id}`),
    recordFile: join(runFolder, 'lab.json'),
    switchNetns: `rsl-${id}-sw`,
    netnsPattern: new RegExp(`^rsl-${id}-(?:sw|n\\d+)$`),
  }
}

export const hostLayoutOf = (lab: Layout, index: number): HostLayout => {
  const name = `n${index}`
  const folder = join(lab.runFolder, name)
  const shared = join(folder, 'shared')
  return {
    name,
    index,
    netns: `rsl-${lab.id}-${name}`,
    lanIp: `10.99.0.${10 + index}`,
    firstPid: index * pidsPerHost,
    folder,
    disk: join(folder, 'disk'),
    scratch: join(folder, 'scratch'),
    root: join(folder, 'root'),
    shared,
    loadFile: join(shared, 'loadavg'),
    recordFile: join(folder, 'host.json'),
    faultsFile: join(folder, 'faults.json'),
    logFile: join(folder, 'console.log'),
  }
}
