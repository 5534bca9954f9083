import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeAtomically } from '../state/atomic-file.ts'
import { stateDir } from '../state/state-dir.ts'

/** The ways to hold a process back, the best first; `pause` stops it altogether and is only used when asked for. */
export const MEANS = ['cgroup2', 'systemd', 'cgroup1', 'cpulimit', 'renice', 'pause'] as const
export type MeansName = (typeof MEANS)[number]

const Identity = z.object({ pid: z.int().positive(), start: z.string() })
const HoldRecord = z.object({
  id: z.string().regex(/^[\w-]{1,80}$/),
  /** The process that is held, and the start of the machine in which it is that process. */
  ...Identity.shape,
  boot: z.string(),
  command: z.string(),
  means: z.enum(MEANS),
  /** Of one CPU, for the process and its children together. */
  percent: z.number().optional(),
  /** `applying` is written before anything is changed: found without its writer, it has to be undone. */
  state: z.enum(['applying', 'held']),
  writer: Identity,
  since: z.iso.datetime(),
  /** What the means needs to undo itself. */
  undo: z.record(z.string(), z.string()),
})

/** A process that this program holds back: what a later run needs to release it, and nothing else. */
export type HoldRecord = z.infer<typeof HoldRecord>

async function folder(): Promise<string> {
  const path = join(await stateDir(), 'held')
  await mkdir(path, { recursive: true, mode: 0o700 })
  return path
}

/** Puts a record in the place of its earlier one, whole or not at all, also when power fails. */
export async function saveRecord(record: HoldRecord): Promise<void> {
  await writeAtomically(join(await folder(), `${record.id}.json`), `${JSON.stringify(record)}\n`, 0o600)
}

export async function removeRecord({ id }: HoldRecord): Promise<void> {
  await rm(join(await folder(), `${id}.json`), { force: true })
}

/** All records, the oldest first. A file that is no record is left alone. */
export async function readRecords(): Promise<HoldRecord[]> {
  const path = await folder()
  const names = (await readdir(path)).filter((name) => /^[^.].*\.json$/.test(name))
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), 'utf8').catch(() => '')))
  const records = texts.flatMap((text) => HoldRecord.safeParse(json(text)).data ?? [])
  return records.toSorted((a, b) => (a.since < b.since ? -1 : 1))
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
