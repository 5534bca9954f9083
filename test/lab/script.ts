import { LabError } from './error.ts'
import { execIn, type ExecOptions } from './exec.ts'
import type { HostLayout } from './layout.ts'

/**
 * Runs one of the lab's own fixed scripts inside a host, as root; data goes in as "$1", "$2" … and never into
 * the text. Returns its output and throws when it fails.
 */
export const script = async (
  host: HostLayout,
  text: string,
  args: readonly string[] = [],
  options: ExecOptions = {},
): Promise<string> => {
  const result = await execIn(host, ['/bin/bash', '-euc', text, 'bash', ...args], { cwd: '/', ...options })
  if (result.exitCode !== 0) {
    const words = result.stderr.trim().split('\n').at(-1) ?? ''
    throw new LabError(`${host.name}: ${words === '' ? `exit ${result.exitCode}` : words}`)
  }
  return result.stdout
}

export type Service = 'sshd' | 'cron' | 'tailscaled' | 'load' | 'hung-sshd' | 'app'

/** `stop` asks, `kill` does not. */
export const service = async (
  host: HostLayout,
  action: 'start' | 'stop' | 'kill',
  name: Service,
  args: readonly string[] = [],
): Promise<void> => {
  const tool = '/srv/resource-sharing/test/lab/in-host/service.sh'
  await script(host, 'bash "$@"', [tool, action, name, ...args])
}

export const serviceIsAlive = async (host: HostLayout, name: Service): Promise<boolean> => {
  const tool = '/srv/resource-sharing/test/lab/in-host/service.sh'
  return (await execIn(host, ['bash', tool, 'alive', name])).exitCode === 0
}
