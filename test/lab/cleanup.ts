import { readdir, readFile, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { removeTree } from './cache.ts'
import { cgroupOf, thaw } from './freezer.ts'
import type { Layout } from './layout.ts'
import { deleteNetns, netnsOf, netnsPath } from './network.ts'
import { killRecorded, type ProcessRecord, recordProcess } from './processes.ts'
import { run } from './run.ts'

/** Every process that lives in a network namespace of this instance: its hosts, headscale, and what they left. */
export const processesOf = async (lab: Layout): Promise<readonly ProcessRecord[]> => {
  const inodes = new Set<number>()
  for (const name of await netnsOf(lab)) inodes.add((await stat(netnsPath(name))).ino)
  const found: ProcessRecord[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
    try {
      // Recorded first: should the PID pass to another process meanwhile, the record no longer fits that one.
      const record = await recordProcess(pid)
      if (inodes.has((await stat(`/proc/${pid}/ns/net`)).ino)) found.push(record)
    } catch {
      // The process ended while we looked.
    }
  }
  return found
}

/** Mount points below a folder, deepest first. */
export const mountsBelow = async (folder: string): Promise<readonly string[]> => {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).trim().split('\n')
  // The kernel writes a space in a path as \\040.
  const plain = (text: string): string =>
    text.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)))
  const points = lines.map((line) => plain(line.split(' ')[4] ?? ''))
  return points.filter((point) => point.startsWith(`${folder}/`)).toReversed()
}

const cgroupNames = (lab: Layout): RegExp => new RegExp(`^${cgroupOf(lab.id, 'n')}\\d+$`)

const thawAll = async (lab: Layout): Promise<void> => {
  const groups = await readdir('/sys/fs/cgroup/freezer').catch(() => [])
  for (const group of groups.filter((name) => cgroupNames(lab).test(name))) await thaw(group)
}

/** A group and those below it, which programs in the host may have made. */
const removeCgroup = async (folder: string): Promise<void> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(folder, entry.name))
  // A process that was killed is in it for a moment more.
  for (let tries = 0; tries < 100; tries += 1) {
    const error: unknown = await rmdir(folder).catch((reason: unknown) => reason)
    if (!(error instanceof Error && 'code' in error && error.code === 'EBUSY')) return
    await sleep(50)
  }
}

const removeCgroups = async (lab: Layout): Promise<void> => {
  const name = cgroupNames(lab)
  for (const controller of ['cpu', 'freezer']) {
    const root = join('/sys/fs/cgroup', controller)
    for (const entry of (await readdir(root).catch(() => [])).filter((child) => name.test(child))) {
      await removeCgroup(join(root, entry))
    }
  }
}

/**
 * Takes an instance down, whatever state an earlier run left it in. It acts only on what carries the instance's
 * own names: its network namespaces, the processes in them, and its folder.
 */
export const cleanUp = async (lab: Layout): Promise<void> => {
  await thawAll(lab)
  // More than once, because a process may fork while the first round reads.
  for (let round = 0; round < 5; round += 1) {
    const processes = await processesOf(lab)
    if (processes.length === 0) break
    await killRecorded(processes)
  }
  for (const point of await mountsBelow(lab.runFolder)) await run(['umount', '--lazy', point])
  await deleteNetns(await netnsOf(lab))
  await removeCgroups(lab)
  await removeTree(lab.runFolder)
}
