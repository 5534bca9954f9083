import { randomInt } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, UsageError } from '../../base/errors.ts'
import { writeAtomically } from '../../base/atomic-file.ts'
import { takeLock } from '../../base/lock.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { stateDir } from '../../base/state-dir.ts'
import { messageOf, quoted } from '../../base/text.ts'
import { Job, type Now, type Work } from './job.ts'

// The characters of a job's id: none that a person could take for another one, such as l for 1.
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'
const ID_LENGTH = 6

/**
 * Puts work into the spool: a folder a job, which has its name when all of it is on the disk.
 *
 * @throws Failure when it can't be written down
 */
export async function enqueue(work: Work, name: string | undefined): Promise<Job> {
  const id = Array.from({ length: ID_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  const queuedAt = new Date().toISOString()
  const named = name === undefined ? {} : { name }
  const job: Job = { id, ...named, work, queuedAt, attempt: 0, now: { state: 'queued' } }
  await keeping(async () => {
    const spool = await spoolDir()
    const part = join(spool, `.${id}.part`)
    await mkdir(part, { mode: 0o700 })
    try {
      await writeJob(part, job)
      await rename(part, join(spool, id))
      await syncFolder(spool)
    } catch (error) {
      await rm(part, { recursive: true, force: true })
      throw error
    }
  })
  return job
}

/** All jobs, the oldest first. A folder that holds none of this version's is left alone. */
export async function readJobs(): Promise<Job[]> {
  return await keeping(async () => {
    const spool = await spoolDir()
    const names = (await readdir(spool)).filter((name) => !name.startsWith('.'))
    const jobs = await Promise.all(names.map(async (name) => await jobIn(join(spool, name))))
    return jobs.flatMap((job) => job ?? []).toSorted((a, b) => (a.queuedAt < b.queuedAt ? -1 : 1))
  })
}

/** The job of this id. @throws UsageError when there is none */
export async function readJob(id: string): Promise<Job> {
  const job = /^[a-z2-9]{1,16}$/.test(id) ? await jobIn(await jobDir(id)) : undefined
  if (job) return job
  throw new UsageError(`there is no job ${quoted(id)}: \`just jobs\` lists them`)
}

/** Writes down where a job is now; on the disk, also if power fails, when this returns. */
export async function saveJob(job: Job, now: Now): Promise<Job> {
  const later = { ...job, now }
  await keeping(async () => await writeJob(await jobDir(job.id), later))
  return later
}

/** Removes a job, and the log that came back. */
export async function removeJob({ id }: Job): Promise<void> {
  await keeping(async () => await rm(await jobDir(id), { recursive: true, force: true }))
}

/**
 * Does something with a job that no other process does at the same time, and that begins with what is written down.
 *
 * @returns undefined, and does nothing, while another process is about it
 */
export async function withJob<T>(id: string, work: (job: Job) => Promise<T>): Promise<T | undefined> {
  await readJob(id)
  const file = join(await jobDir(id), 'lock')
  const lock = await keeping(async () => await takeLock(file))
  if (lock === undefined) return undefined
  try {
    return await work(await readJob(id))
  } finally {
    await lock.release()
  }
}

/** Where the output of a job is once it has come back. */
export async function logFile(id: string): Promise<string> {
  return join(await jobDir(id), 'log')
}

export async function jobDir(id: string): Promise<string> {
  return join(await spoolDir(), id)
}

async function spoolDir(): Promise<string> {
  const path = join(await stateDir(), 'jobs')
  await makeFolder(path, 0o700)
  return path
}

async function jobIn(folder: string): Promise<Job | undefined> {
  const text = await readFile(join(folder, 'job.json'), 'utf8').catch(() => '')
  try {
    return Job.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

async function writeJob(folder: string, job: Job): Promise<void> {
  await writeAtomically(join(folder, 'job.json'), `${JSON.stringify(job)}\n`, 0o600)
  await syncFolder(folder)
}

/** A new name is only safe from a power failure once the folder that it stands in has been written to the disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A full disk or a folder of somebody else's is no defect of this program. */
async function keeping<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`the jobs can't be written down or read: ${messageOf(error)}`, { cause: error })
  }
}
