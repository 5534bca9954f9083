import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../base/errors.ts'
import { liveProcesses, treeOf, type LiveProcess } from '../live-processes.ts'
import { messageOf } from '../../base/text.ts'
import { keyOf, type Means, type Target } from './means.ts'

/** A hierarchy of control groups that limits CPU, as this machine mounts it. */
export type Hierarchy = {
  version: 1 | 2
  mountPoint: string
  /** Which group of the hierarchy is at the mount point. */
  root: string
}

/** Microseconds in which the quota is counted: the kernel's own default. */
export const PERIOD_US = 100_000
const ROUNDS = 10

/**
 * The mounts of cgroup v1's `cpu` controller and of cgroup v2.
 *
 * @param mountinfo text of `/proc/self/mountinfo`, proc_pid_mountinfo(5)
 */
export function hierarchies(mountinfo: string): Hierarchy[] {
  return mountinfo.split('\n').flatMap((line): Hierarchy[] => {
    const [left = '', right = ''] = line.split(' - ')
    const [, , , root = '', mountPoint = ''] = left.split(' ').map((field) => unescaped(field))
    const [type, , options = ''] = right.split(' ')
    if (type === 'cgroup2') return [{ version: 2, mountPoint, root }]
    if (type === 'cgroup' && options.split(',').includes('cpu')) return [{ version: 1, mountPoint, root }]
    return []
  })
}

/** Blanks and the like stand there in octal. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

/**
 * The folder of the group that a process is in.
 *
 * @param cgroups text of `/proc/PID/cgroup`
 * @returns undefined where that group is not below the mount
 */
export function folderOf({ version, mountPoint, root }: Hierarchy, cgroups: string): string | undefined {
  for (const line of cgroups.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line)
    if (match === null) continue
    const [, number, controllers = '', path = ''] = match
    const ours = version === 2 ? number === '0' && controllers === '' : controllers.split(',').includes('cpu')
    if (!ours) continue
    const base = root === '/' ? '' : root
    if (path !== base && !path.startsWith(`${base}/`)) return undefined
    return join(mountPoint, path.slice(base.length).replace(/\/$/, ''))
  }
  return undefined
}

/** Holds a tree by a control group of its own, which its later children are born into. */
export function cgroupMeans(version: 1 | 2): Means {
  return {
    title: version === 2 ? 'cgroup v2 (cpu.max)' : 'cgroup v1 (cpu.cfs_quota_us)',
    linuxOnly: true,
    limits: true,
    onlyWhenAsked: false,
    releasedBySh: true,
    async missing({ tree: [root] }) {
      const place = root && (await placeFor(version, root))
      return place ? undefined : `no cgroup v${version} with a cpu controller for it`
    },
    async plan({ id, tree }) {
      const groups = await Promise.all(tree.map(async (each) => [keyOf(each), await groupOf(version, each)]))
      const [root] = tree
      const place = root && (await placeFor(version, root))
      if (!place) throw new Failure(`no cgroup v${version} with a cpu controller for it`)
      return {
        ...Object.fromEntries(groups.filter(([, group]) => group !== undefined)),
        '': join(place, groupName(id)),
      }
    },
    async apply(target, undo) {
      const group = undo[''] ?? ''
      if (version === 2) await writeFile(join(dirname(group), 'cgroup.subtree_control'), '+cpu')
      await mkdir(group)
      await setQuota(version, group, target.percent)
      await moveAll(target, group)
    },
    async undo(tree, undo) {
      const group = undo['']
      if (group === undefined) return
      const home = (tree[0] && undo[keyOf(tree[0])]) ?? dirname(group)
      // Children may be born while they are moved: until the group is empty.
      for (let round = 0; round < ROUNDS; round += 1) {
        const pids = await members(group)
        if (pids === undefined) return
        if (pids.length === 0 && (await removed(group))) return
        for (const pid of pids) {
          const member = tree.find((each) => each.pid === pid)
          await attach(await nearest((member && undo[keyOf(member)]) ?? home), pid)
        }
        await sleep(round * 10)
      }
      throw new Failure(`the control group ${group} can't be emptied`)
    },
  }
}

/** A group, or where it has been removed meanwhile the next one above it that is there. */
async function nearest(group: string): Promise<string> {
  const there = await access(join(group, 'cgroup.procs')).then(
    () => true,
    () => false,
  )
  return there || group === '/' ? group : await nearest(dirname(group))
}

export function groupName(id: string): string {
  return `resource-sharing-${id}`
}

/** Version 2 has no processes in inner groups, so there the new group stands beside the old one, else below it. */
export function placeIn({ version, mountPoint }: Hierarchy, group: string): string {
  return version === 1 || group === mountPoint ? group : dirname(group)
}

async function placeFor(version: 1 | 2, process: LiveProcess): Promise<string | undefined> {
  const group = await groupOf(version, process)
  if (group === undefined) return undefined
  const hierarchy = (await mounts()).find((each) => each.version === version)
  if (!hierarchy || version === 1) return hierarchy && group
  const place = placeIn(hierarchy, group)
  const controllers = await readFile(join(place, 'cgroup.controllers'), 'utf8').catch(() => '')
  return controllers.split(/\s+/).includes('cpu') ? place : undefined
}

async function groupOf(version: 1 | 2, { pid }: LiveProcess): Promise<string | undefined> {
  const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')
  const hierarchy = (await mounts()).find((each) => each.version === version)
  return hierarchy && folderOf(hierarchy, cgroups)
}

async function mounts(): Promise<Hierarchy[]> {
  return hierarchies(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''))
}

async function setQuota(version: 1 | 2, group: string, percent: number): Promise<void> {
  const quota = Math.round((PERIOD_US * percent) / 100)
  if (version === 2) await writeFile(join(group, 'cpu.max'), `${quota} ${PERIOD_US}`)
  else {
    await writeFile(join(group, 'cpu.cfs_period_us'), String(PERIOD_US))
    await writeFile(join(group, 'cpu.cfs_quota_us'), String(quota))
  }
}

/** Moves the tree until no descendant is outside: one that is forked meanwhile may be born there. */
async function moveAll(target: Target, group: string): Promise<void> {
  const [root] = target.tree
  let tree: LiveProcess[] = target.tree
  if (!root) return
  for (let round = 0; round < ROUNDS; round += 1) {
    const inside = new Set(await members(group))
    const outside = tree.filter(({ pid }) => !inside.has(pid))
    if (outside.length === 0) return
    for (const { pid } of outside) await attach(group, pid)
    tree = treeOf(await liveProcesses(), root)
  }
}

/** A process that is gone, or that the kernel keeps where it is, stays out; `members` tells. */
async function attach(group: string, pid: number): Promise<void> {
  await writeFile(join(group, 'cgroup.procs'), String(pid)).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return
    throw new Failure(`PID ${pid} can't be moved to another control group: ${messageOf(error)}`, {
      cause: error,
    })
  })
}

/** PIDs in a group; undefined when there is no such group. */
async function members(group: string): Promise<number[] | undefined> {
  const text = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => undefined)
  return text
    ?.split('\n')
    .filter((line) => line !== '')
    .map(Number)
}

async function removed(group: string): Promise<boolean> {
  return await rmdir(group).then(
    () => true,
    () => false,
  )
}
