import { readFile } from 'node:fs/promises'
import pMap from 'p-map'
import { execIn } from './exec.ts'
import { readFaults, readHostRecord } from './host-record.ts'
import type { HostLayout } from './layout.ts'
import { isAlive } from './processes.ts'
import { tailnetIp } from './tailnet.ts'

const services = `for name in sshd tailscaled; do
  bash /srv/resource-sharing/test/lab/in-host/service.sh alive $name && echo yes || echo no
done`

const row = async (host: HostLayout, tailnet: boolean): Promise<readonly string[]> => {
  const faults = Object.entries(await readFaults(host)).map(([name, detail]) => `${name} ${detail}`.trim())
  const record = await readHostRecord(host)
  if (record === undefined || !(await isAlive(record.init))) {
    return [host.name, host.lanIp, '-', 'no', 'no', '-', faults.join(', ')]
  }
  const [ip, alive, load] = await Promise.all([
    tailnet ? tailnetIp(host) : undefined,
    execIn(host, ['bash', '-c', services]),
    readFile(host.loadFile, 'utf8'),
  ])
  const [sshd = '', tailscaled = ''] = alive.stdout.split('\n')
  const loads = load.split(' ').slice(0, 3).join(' ')
  return [host.name, host.lanIp, ip ?? '-', sshd, tailscaled, loads, faults.join(', ')]
}

/** A line a host: where it is, what runs in it, what is wrong with it on purpose. */
export const statusLines = async (
  hosts: readonly HostLayout[],
  tailnet: boolean,
): Promise<readonly string[]> => {
  const header = ['host', 'LAN', 'tailnet', 'sshd', 'tailscaled', 'load', 'faults']
  const rows = [header, ...(await pMap(hosts, async (host) => await row(host, tailnet), { concurrency: 8 }))]
  const widths = header.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
