import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../base/errors.ts'
import { messageOf } from '../../base/text.ts'
import { writeAtomically } from '../../base/atomic-file.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { stateDir } from '../../base/state-dir.ts'
import { MEANS_NAMES } from './all-means.ts'

const Identity = z.object({ pid: z.int().positive(), start: z.string() })
const HoldRecord = z.object({
  id: z.string().regex(/^[\w-]{1,80}$/),
  /** The process that is held, and the start of the machine in which it is that process. */
  ...Identity.shape,
  boot: z.string(),
  command: z.string(),
  means: z.enum(MEANS_NAMES),
  /** Of one CPU, for the process and its children together. */
  percent: z.number().optional(),
  /** CPUs that it would use, where that is known. */
  cpu: z.number().nonnegative().exactOptional(),
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
  await keeping(makeFolder(path, 0o700))
  return path
}

/** A full disk or a folder of somebody else's is no defect of this program. */
async function keeping<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new Failure(`what is held can't be written down or read: ${messageOf(error)}`, { cause: error })
  }
}

/** Puts a record in the place of its earlier one, whole or not at all, also when power fails. */
export async function saveRecord(record: HoldRecord): Promise<void> {
  const file = join(await folder(), `${record.id}.json`)
  await keeping(writeAtomically(file, `${JSON.stringify(record)}\n`, 0o600))
}

export async function removeRecord({ id }: HoldRecord): Promise<void> {
  await rm(join(await folder(), `${id}.json`), { force: true })
}

/** All records, the oldest first. A file that is no record is left alone; `strangeRecords` names it. */
export async function readRecords(): Promise<HoldRecord[]> {
  const records = (await readAll()).flatMap(({ record }) => record ?? [])
  return records.toSorted((a, b) => (a.since < b.since ? -1 : 1))
}

/** Files among the records that this version does not understand: what they hold has to be looked at by a person. */
export async function strangeRecords(): Promise<string[]> {
  return (await readAll()).flatMap(({ file, record }) => (record ? [] : [file]))
}

/** The record in a text; undefined when it is something else. */
export function parseRecord(text: string): HoldRecord | undefined {
  return HoldRecord.safeParse(json(text)).data
}

async function readAll(): Promise<{ file: string; record: HoldRecord | undefined }[]> {
  const path = await folder()
  const names = (await keeping(readdir(path))).filter((name) => /^[^.].*\.json$/.test(name))
  const all = await Promise.all(
    names.map(async (name) => {
      const file = join(path, name)
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        return error.code === 'ENOENT' ? undefined : ''
      })
      return text === undefined ? [] : [{ file, record: parseRecord(text) }]
    }),
  )
  return all.flat()
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
