import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { startDaemon } from '../daemon.ts'
import { LabError } from '../error.ts'
import type { Host } from '../host-handle.ts'
import { noteFaults } from '../host-record.ts'
import { netnsPath } from '../network.ts'
import { killRecorded, waitUntil } from '../processes.ts'
import { run } from '../run.ts'
import { script } from '../script.ts'

/** Cuts a host off from all others. */
export const linkDown = async (host: Host): Promise<void> => {
  await script(host, 'ip link set eth0 down')
  await noteFaults(host, { linkDown: '' })
}

export const linkUp = async (host: Host): Promise<void> => {
  await script(host, 'ip link set eth0 up')
  await noteFaults(host, { linkDown: undefined })
}

interface Impairment {
  readonly delayMs: number
  readonly jitterMs: number
  readonly lossPercent: number
}

const milliseconds = (value: string | undefined, unit: string | undefined): number =>
  Number(value ?? 0) * (unit === 's' ? 1000 : 1)

/** Reads the part of tc-netem(8)'s language that is needed: `delay TIME [JITTER] loss PERCENT`, either or both. */
export const parseNetem = (text: string): Impairment => {
  const time = String.raw`(\d+(?:\.\d+)?)(ms|s)`
  const pattern = new RegExp(`^(?:delay ${time}(?: ${time})?)?\\s*(?:loss (\\d+(?:\\.\\d+)?)%)?$`)
  const match = pattern.exec(text.trim())
  if (match === null || text.trim() === '') {
    throw new LabError(`netem "${text}" must be like "delay 50ms 5ms loss 2%"`, 2)
  }
  return {
    delayMs: milliseconds(match[1], match[2]),
    jitterMs: milliseconds(match[3], match[4]),
    lossPercent: Number(match[5] ?? 0),
  }
}

const wireRecord = z.object({ pid: z.number(), startTime: z.string() })

const removeWire = async (host: Host): Promise<void> => {
  const file = join(host.folder, 'wire.json')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return
  await killRecorded([wireRecord.parse(JSON.parse(text))])
  const ip = ['ip', '-netns', host.lab.switchNetns, 'link']
  await run([...ip, 'del', `${host.name}-wire`])
  await run([...ip, 'set', host.name, 'master', 'br0'])
  await rm(file)
}

/**
 * Delays and loses what a host sends, as netem does on the device it is put on. Many kernels are built without
 * netem, so a small program carries the frames between the host's cable and the switch instead; the host's own device
 * stays as it is.
 */
export const netem = async (host: Host, text: string): Promise<void> => {
  const { delayMs, jitterMs, lossPercent } = parseNetem(text)
  await clearNetem(host)
  const ip = ['ip', '-netns', host.lab.switchNetns, 'link']
  const inner = `${host.name}-wire`
  const outer = `${host.name}-port`
  await run([...ip, 'set', host.name, 'nomaster'])
  await run([...ip, 'add', inner, 'up', 'type', 'veth', 'peer', 'name', outer])
  await run([...ip, 'set', outer, 'master', 'br0', 'up'])
  // The machine may have no Python, the hosts' Debian has one.
  const python = ['chroot', host.record.layers.at(-1) ?? '/', '/usr/bin/python3', '-B', '-u', '-c']
  const program = await readFile(join(import.meta.dirname, 'wire.py'), 'utf8')
  const logFile = join(host.folder, 'wire.log')
  await rm(logFile, { force: true })
  const ends = [host.name, inner]
  const how = [delayMs, jitterMs, lossPercent].map(String)
  const wire = await startDaemon(
    ['nsenter', `--net=${netnsPath(host.lab.switchNetns)}`, '--', ...python, program, ...ends, ...how],
    { logFile },
  )
  await writeFile(join(host.folder, 'wire.json'), JSON.stringify(wire))
  const said = async (): Promise<string> => await readFile(logFile, 'utf8').catch(() => '')
  const started = await waitUntil(async () => (await said()).startsWith('ready'), 10_000)
  if (!started) throw new LabError(`${host.name}: the wire did not start: ${(await said()).trim()}`)
  await noteFaults(host, { netem: text })
}

export const clearNetem = async (host: Host): Promise<void> => {
  await removeWire(host)
  await noteFaults(host, { netem: undefined })
}
