import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LabError } from './error.ts'
import { waitUntil } from './processes.ts'

/** The cgroup of a host below each controller's root. */
export const cgroupOf = (id: string, hostName: string): string => `rsl-${id}-${hostName}`

const folderOf = (cgroup: string): string => join('/sys/fs/cgroup/freezer', cgroup)

/** Stops every process whose network is this namespace's at once, as a machine that hangs would. */
export const freeze = async (cgroup: string, netns: string): Promise<void> => {
  const { ino } = await stat(netns)
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const own = await stat(`/proc/${pid}/ns/net`).catch(() => undefined)
    // Those that were entered from outside are not in the host's group yet; one that has just ended can't be moved.
    if (own?.ino === ino) await writeFile(join(folderOf(cgroup), 'cgroup.procs'), pid).catch(() => undefined)
  }
  await writeFile(join(folderOf(cgroup), 'freezer.state'), 'FROZEN')
  const frozen = async (): Promise<boolean> =>
    (await readFile(join(folderOf(cgroup), 'freezer.state'), 'utf8')).trim() === 'FROZEN'
  if (!(await waitUntil(frozen, 5000, 5))) throw new LabError(`${cgroup} does not freeze`)
}

/** Lets them go on; nothing where nothing was frozen. */
export const thaw = async (cgroup: string): Promise<void> => {
  await writeFile(join(folderOf(cgroup), 'freezer.state'), 'THAWED').catch(() => undefined)
}
