import { LabError } from '../error.ts'
import { newUser } from '../headscale.ts'
import type { Host } from '../host-handle.ts'
import { noteFaults } from '../host-record.ts'
import { waitUntil } from '../processes.ts'
import { script, service } from '../script.ts'
import { join, tailnetStatus, waitForTailnet } from '../tailnet.ts'

const authKeyOf = (host: Host): string => {
  if (host.record.authKey === undefined) throw new LabError('this lab is up without a tailnet')
  return host.record.authKey
}

/** `tailscale down`: tailscaled runs and answers, but the host has left the network. */
export const tailscaleDown = async (host: Host): Promise<void> => {
  await script(host, '/usr/local/bin/tailscale down')
  await noteFaults(host, { tailscale: 'down' })
}

/** The host leaves the tailnet for good, until `tailscaleUp` joins it again. */
export const logout = async (host: Host): Promise<void> => {
  await script(host, '/usr/local/bin/tailscale logout')
  await noteFaults(host, { tailscale: 'logged out' })
}

/** Undoes `tailscaleDown` and `logout`. */
export const tailscaleUp = async (host: Host): Promise<void> => {
  await join(host, authKeyOf(host))
  await waitForTailnet(host)
  await noteFaults(host, { tailscale: undefined })
}

/** The host is another user's machine from now on; there is no such user yet. */
export const tailscaleUser = async (host: Host, name: string): Promise<void> => {
  if (host.record.headscale === undefined) throw new LabError('this lab is up without a tailnet')
  const key = await newUser(host.lab, host.record.headscale, name)
  await script(host, '/usr/local/bin/tailscale logout')
  await join(host, key)
  await waitForTailnet(host)
  await noteFaults(host, { tailscale: `of ${name}` })
}

/** The daemon is gone: `tailscale status` finds no socket. */
export const tailscaledStop = async (host: Host): Promise<void> => {
  await service(host, 'stop', 'tailscaled')
  await noteFaults(host, { tailscaled: 'stopped' })
}

export const tailscaledStart = async (host: Host): Promise<void> => {
  await service(host, 'start', 'tailscaled')
  await waitForTailnet(host)
  await noteFaults(host, { tailscaled: undefined })
}

/**
 * The name a host gives itself in the tailnet. The coordination server makes the DNS name of it, another one when the
 * name is taken or is no DNS name; this waits some seconds for it to change.
 */
export const tailscaleHostname = async (host: Host, name: string): Promise<void> => {
  const before = (await tailnetStatus(host))?.Self?.DNSName
  await script(host, '/usr/local/bin/tailscale set --hostname="$1"', [name])
  await waitUntil(async () => (await tailnetStatus(host))?.Self?.DNSName !== before, 5000, 100)
}
