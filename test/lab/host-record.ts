import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { isMissing } from './error.ts'
import type { HostLayout } from './layout.ts'

const processRecord = z.object({ pid: z.number(), startTime: z.string() })

const hostRecord = z.object({
  /** The unshare(1) that waits for the host; the host dies with it. */
  supervisor: processRecord,
  /** PID 1 of the host, as the machine numbers it. */
  init: processRecord,
})

export type HostRecord = z.infer<typeof hostRecord>

const readJson = async (path: string): Promise<unknown> => {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    // A run that died while it wrote leaves half a record, which says no more than none.
    if (isMissing(error) || error instanceof SyntaxError) return undefined
    throw error
  }
}

export const readHostRecord = async (host: HostLayout): Promise<HostRecord | undefined> => {
  const parsed = hostRecord.safeParse(await readJson(host.recordFile))
  return parsed.success ? parsed.data : undefined
}

export const writeHostRecord = async (host: HostLayout, record: HostRecord): Promise<void> => {
  await writeFile(host.recordFile, JSON.stringify(record), { mode: 0o600 })
}

const faultsRecord = z.record(z.string(), z.string())

/** What is wrong with a host on purpose, by name, with the detail a person wants to see. */
export const readFaults = async (host: HostLayout): Promise<Readonly<Record<string, string>>> => {
  const parsed = faultsRecord.safeParse(await readJson(host.faultsFile))
  return parsed.success ? parsed.data : {}
}

/** Notes faults (a detail, or an empty one) and forgets those given as undefined. */
export const noteFaults = async (
  host: HostLayout,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<void> => {
  const entries = Object.entries({ ...(await readFaults(host)), ...changes })
  const kept = entries.filter(([, detail]) => detail !== undefined)
  await writeFile(host.faultsFile, JSON.stringify(Object.fromEntries(kept)), { mode: 0o600 })
}

const labRecord = z.object({
  hosts: z.number().int().positive(),
  tailnet: z.boolean(),
  layers: z.array(z.string()),
  tailscale: z.string().optional(),
  tailscaled: z.string().optional(),
  headscale: z.string().optional(),
  authKey: z.string().optional(),
})

/** What a later command needs to find and reboot the hosts of an instance. */
export type LabRecord = z.infer<typeof labRecord>

export const readLabRecord = async (path: string): Promise<LabRecord | undefined> => {
  const parsed = labRecord.safeParse(await readJson(path))
  return parsed.success ? parsed.data : undefined
}

export const writeLabRecord = async (path: string, record: LabRecord): Promise<void> => {
  await writeFile(path, JSON.stringify(record), { mode: 0o600 })
}
