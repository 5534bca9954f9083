/** A program that asks many hosts for their loads and CPUs, run on one of them. */
export type Asker = {
  name: string
  /** A line of sh(1). */
  command: string
  /** How many hosts its output tells of. */
  count: (output: string) => number
}

export const OURS = 'mesh-balance'
export const ROOT = '/srv/resource-sharing'
const ASK = 'cat /proc/loadavg; nproc'
const LOADS = /^(?:\S+: )?\d+\.\d\d \d+\.\d\d \d+\.\d\d \d+\/\d+ \d+$/gm
const KEEP = '-o ControlMaster=auto -o ControlPersist=300 -o ControlPath=/run/bench/%C'

const loads = (output: string) => output.match(LOADS)?.length ?? 0

/**
 * All that ask the same of the same hosts.
 *
 * @param keep over connections that the run before has kept: only those that can be told to
 * @param named they are not in the tailnet of the host that asks, and have to be named
 */
export function askers(
  addresses: readonly string[],
  { timeout, keep, named }: { timeout: number; keep: boolean; named: boolean },
): Asker[] {
  const list = addresses.join(',')
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=accept-new', `ConnectTimeout=${timeout}`]
  const words = `${options.map((option) => `-o ${option}`).join(' ')} ${keep ? KEEP : ''}`
  // clush takes a percent sign for its own.
  const clush = `clush -f 64 -w ${list} -o '${words.replace('%', '%%')}' '${ASK}'`
  const parallel = `parallel -j 64 --will-cite ssh ${words} {} "'${ASK}'" ::: ${addresses.join(' ')}`
  const pdsh = `env PDSH_SSH_ARGS_APPEND='${words}' pdsh -R ssh -f 64 -w ${list} '${ASK}'`
  const pssh = `parallel-ssh -p 64 -i -t ${timeout * 4} -H '${addresses.join(' ')}' ${options.map((each) => `-O ${each}`).join(' ')} '${ASK}'`
  const hosts = named ? `--hosts ${list}` : ''
  return [
    { name: 'clush', command: clush, count: loads },
    { name: 'parallel', command: parallel, count: loads },
    ...(keep
      ? []
      : [
          { name: 'pdsh', command: pdsh, count: loads },
          { name: 'parallel-ssh', command: pssh, count: loads },
        ]),
    {
      name: OURS,
      command: `node ${ROOT}/cli/start.mjs scripts/mesh-balance.ts --json --timeout ${timeout} ${hosts}`,
      count: (output) =>
        JSON.parse(output).nodes.filter(
          (node: { outcome: string; self: boolean }) => node.outcome === 'ok' && !node.self,
        ).length,
    },
  ]
}
