import type { Host } from '../host-handle.ts'
import { noteFaults, readFaults } from '../host-record.ts'
import { cgroupOf, freeze, thaw } from '../freezer.ts'
import { bootHost as boot, killHost as kill } from '../host.ts'
import { netnsPath } from '../network.ts'
import { script } from '../script.ts'
import { waitForTailnet } from '../tailnet.ts'

/** Ends every process of a host at once, as a power cut would; its disk, addresses and keys stay. */
export const killHost = async (host: Host): Promise<void> => {
  await thawHost(host)
  await kill(host)
  await noteFaults(host, { power: 'off' })
}

/** Stops every process of a host, as a machine that hangs would: it answers nothing, and forgets nothing. */
export const freezeHost = async (host: Host): Promise<void> => {
  await freeze(cgroupOf(host.lab.id, host.name), netnsPath(host.netns))
  await noteFaults(host, { frozen: 'yes' })
}

export const thawHost = async (host: Host): Promise<void> => {
  await thaw(cgroupOf(host.lab.id, host.name))
  await noteFaults(host, { frozen: undefined })
}

/** Boots a host again. What a reboot cures is cured: link, sshd, tailscaled, small disks, the load that follows work. */
export const bootHost = async (host: Host): Promise<void> => {
  await thawHost(host)
  await kill(host)
  await boot(host.lab, host, host.neighbours, host.record)
  const cured = { power: undefined, linkDown: undefined, sshd: undefined, tailscaled: undefined }
  await noteFaults(host, { ...cured, smallDisk: undefined, loadFollowsWork: undefined })
  if (host.record.tailnet && !('tailscale' in (await readFaults(host)))) await waitForTailnet(host)
}

/** Puts a disk of a few MiB at a path, which is made if it is not there. */
export const smallDisk = async (host: Host, path: string, sizeMiB: number): Promise<void> => {
  const mount = 'mkdir -p "$1"; mount -t tmpfs -o "size=$2m,mode=1777" tmpfs "$1"'
  await script(host, mount, [path, String(sizeMiB)])
  await noteFaults(host, { smallDisk: `${path} ${sizeMiB} MiB` })
}

export const removeSmallDisk = async (host: Host, path: string): Promise<void> => {
  await script(host, 'umount --lazy "$1"', [path])
  await noteFaults(host, { smallDisk: undefined })
}
