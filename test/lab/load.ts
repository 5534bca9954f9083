import { open } from 'node:fs/promises'
import type { HostLayout } from './layout.ts'
import { noteFaults } from './host-record.ts'
import { service } from './script.ts'

/**
 * Writes the file that is the host's /proc/loadavg. A bind-mounted file cannot be replaced by a rename, so the
 * new line goes over the old one in one write, and only then the old tail is cut off: a reader always finds a whole
 * first line.
 */
const writeLoad = async (host: HostLayout, line: string): Promise<void> => {
  const file = await open(host.loadFile, 'r+')
  try {
    const bytes = Buffer.from(`${line}\n`)
    await file.write(bytes, 0, bytes.length, 0)
    await file.truncate(bytes.length)
  } finally {
    await file.close()
  }
}

/** Gives a host a fixed load average (and stops following its work); `load5` and `load15` default to `load1`. */
export const setLoad = async (
  host: HostLayout,
  load1: number,
  load5: number = load1,
  load15: number = load5,
): Promise<void> => {
  await service(host, 'kill', 'load').catch(() => undefined)
  const loads = [load1, load5, load15].map((load) => load.toFixed(2)).join(' ')
  await writeLoad(host, `${loads} ${Math.max(1, Math.round(load1))}/50 ${host.firstPid}`)
  await noteFaults(host, { loadFollowsWork: undefined })
}

/**
 * Lets the load average follow what the host really runs. `timeConstantSeconds` is that of the first number, 60 in a
 * kernel; the other two stay 5 and 15 times as slow. Samples are 12 a time constant, as in a kernel, at least 0.1 s apart.
 */
export const setLoadFollowsWork = async (
  host: HostLayout,
  options: { readonly timeConstantSeconds?: number } = {},
): Promise<void> => {
  const constant = options.timeConstantSeconds ?? 60
  const interval = Math.max(0.1, constant / 12)
  const exps = [1, 5, 15].map((times) => String(Math.round(2048 * Math.exp(-interval / (constant * times)))))
  await service(host, 'kill', 'load')
  await service(host, 'start', 'load', [interval.toFixed(3), ...exps])
  await noteFaults(host, { loadFollowsWork: `${constant} s` })
}
