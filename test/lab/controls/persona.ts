import type { Host } from '../host-handle.ts'
import { noteFaults } from '../host-record.ts'
import { script } from '../script.ts'

const persona = async (host: Host, ...args: readonly string[]): Promise<void> => {
  await script(host, 'bash "$@"', ['/srv/resource-sharing/test/lab/in-host/persona.sh', ...args])
}

/**
 * Makes a host answer as a Mac does: uname, sysctl, vm_stat and ps are those of a Mac, commands that only Linux has
 * are gone, /proc/loadavg is empty, and an application with spaces in its path runs.
 */
export const mac = async (host: Host): Promise<void> => {
  await persona(host, 'mac')
  await noteFaults(host, { mac: '' })
}

/** What in-host/kind.sh can make of a host. */
export type Kind =
  | 'debian'
  | 'alpine'
  | 'openwrt'
  | 'mac'
  | 'freebsd'
  | 'openbsd'
  | 'fish'
  | 'zsh'
  | 'tcsh'
  | 'hidden-pids'
  | 'no-proc'
  | 'read-only-home'
  | 'quota'
  | 'no-sudo'
  | 'ipv6-only'
  | 'tailscale-ssh'
  | 'newer-criu'
  | 'usual-criu'

/** Makes a host one of the kinds of machines that people have, until the lab is closed. */
export const become = async (host: Host, kind: Kind): Promise<void> => {
  await script(host, 'bash "$@"', ['/srv/resource-sharing/test/lab/in-host/kind.sh', kind])
}

/** Undoes `mac`. */
export const linux = async (host: Host): Promise<void> => {
  await persona(host, 'linux')
  await noteFaults(host, { mac: undefined })
}

/** How many CPUs a host says it has (nproc, getconf, a Mac's sysctl), whatever the machine has. */
export const setCpus = async (host: Host, cpus: number): Promise<void> => {
  await persona(host, 'cpus', String(cpus))
}
