import { appendFileSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../base/errors.ts'
import { takeLock, type Lock } from '../../base/lock.ts'
import { writeAtomically } from '../../base/atomic-file.ts'
import { messageOf, quoted } from '../../base/text.ts'
import { journalsDir, OUTCOMES } from './folder.ts'
import { pastMigrations, remember, type Past } from './history.ts'
import { MigrationPlan } from './plan.ts'

/** One thing that was begun, done or decided. `at` is ISO 8601, for people. */
export const Entry = z.discriminatedUnion('event', [
  /** A step is about to be taken; whether it was is only known with its `did`. */
  z.object({ event: z.literal('begins'), step: z.string(), at: z.string() }),
  z.object({ event: z.literal('did'), step: z.string(), at: z.string() }),
  /** From here on the copy on the target is the process. */
  z.object({ event: z.literal('commit'), at: z.string() }),
  /** The process ran on before it could be ended: it is the process after all. */
  z.object({ event: z.literal('uncommit'), at: z.string(), reason: z.string() }),
  /** All is said that can be said by itself; what is left on a machine that can't be reached is swept later. */
  z.object({
    event: z.literal('over'),
    at: z.string(),
    outcome: z.enum(OUTCOMES),
    detail: z.string(),
    sweep: z.array(z.enum(['source', 'target'])),
  }),
  z.object({ event: z.literal('doubt'), at: z.string(), reason: z.string() }),
])
export type Entry = z.infer<typeof Entry>
type New<E> = E extends { at: string } ? Omit<E, 'at'> : never

/** The migrations that are not over everywhere, in no order, and folders among them that this version can't read. */
export async function openJournals(): Promise<{ journals: Journal[]; strange: string[] }> {
  const path = await journalsDir()
  const names = await readdir(path)
  const closed = names.filter((name) => name.endsWith(CLOSED))
  await Promise.all(closed.map((name) => rm(join(path, name), { recursive: true, force: true })))
  const folders = names.filter((name) => /^[a-z0-9]{12}$/.test(name)).map((id) => join(path, id))
  const all = await Promise.all(
    folders.map(async (folder) => ({ folder, journal: await Journal.open(folder) })),
  )
  return {
    journals: all.flatMap(({ journal }) => (journal instanceof Journal ? [journal] : [])),
    strange: all.flatMap(({ folder, journal }) => (journal === 'strange' ? [folder] : [])),
  }
}

/** What the name of a journal's folder ends with while it is removed. */
const CLOSED = '.closed'
const NOTHING_DONE = { outcome: 'back', detail: 'nothing was begun' } as const

/** An append-only record of one migration. */
export class Journal {
  readonly plan: MigrationPlan
  readonly #folder: string
  readonly #entries: Entry[]

  private constructor(folder: string, plan: MigrationPlan, entries: Entry[]) {
    this.#folder = folder
    this.plan = plan
    this.#entries = entries
  }

  static async create(plan: MigrationPlan): Promise<Journal> {
    MigrationPlan.parse(plan)
    const folder = join(await journalsDir(), plan.id)
    try {
      await mkdir(folder, { mode: 0o700 })
      await writeAtomically(join(folder, 'plan.json'), `${JSON.stringify(plan)}\n`, 0o600)
    } catch (error) {
      throw new Failure(`the journal ${quoted(folder)} can't be written: ${messageOf(error)}`, {
        cause: error,
      })
    }
    return new Journal(folder, plan, [])
  }

  /** Undefined where there is none, or one that was never begun. */
  static async open(folder: string): Promise<Journal | 'strange' | undefined> {
    const text = await readFile(join(folder, 'plan.json'), 'utf8').catch(() => undefined)
    if (text === undefined) return undefined
    const plan = MigrationPlan.safeParse(json(text))
    if (!plan.success) return 'strange'
    const journal = new Journal(folder, plan.data, [])
    await journal.reload()
    return journal
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** Reads again what may have been written by another. A last line that is cut short was never acted on. */
  async reload(): Promise<void> {
    const text = await readFile(join(this.#folder, 'journal.jsonl'), 'utf8').catch(() => '')
    const entries = text.split('\n').flatMap((line) => Entry.safeParse(json(line)).data ?? [])
    this.#entries.splice(0, Infinity, ...entries)
  }

  /** Only what decides has to be on the disk at once; what is appended later takes the rest along. */
  async write(entry: New<Entry>): Promise<void> {
    const whole: unknown = { ...entry, at: new Date().toISOString() }
    const file = join(this.#folder, 'journal.jsonl')
    try {
      // The newline before it keeps it apart from a line that was cut short. At once: a process may stand still.
      appendFileSync(file, `\n${JSON.stringify(whole)}\n`, { mode: 0o600 })
      if (decides(entry)) await flush(file)
    } catch (error) {
      throw new Failure(`the journal ${quoted(this.#folder)} can't be written: ${messageOf(error)}`, {
        cause: error,
      })
    }
    this.#entries.push(Entry.parse(whole))
  }

  /** Whether the copy on the target is the process. */
  get committed(): boolean {
    return (
      this.#entries.findLast(({ event }) => event === 'commit' || event === 'uncommit')?.event === 'commit'
    )
  }

  begun(step: string): boolean {
    return this.#entries.some((entry) => entry.event === 'begins' && entry.step === step)
  }

  done(step: string): boolean {
    return this.#entries.some((entry) => entry.event === 'did' && entry.step === step)
  }

  /** How it ended; undefined while it has not. */
  get over(): Extract<Entry, { event: 'over' }> | undefined {
    return this.#entries.findLast((entry) => entry.event === 'over')
  }

  /** Who holds it is the one that may act for this migration; undefined while another does. */
  async lock(): Promise<Lock | undefined> {
    return await takeLock(join(this.#folder, 'lock')).catch(undefinedIfClosed)
  }

  /** Says that somebody waits to settle the migration, should who carries it out die; where it is over, to nobody. */
  async guard(): Promise<void> {
    const file = join(this.#folder, 'guardian')
    await writeFile(file, `${process.pid}\n`, { mode: 0o600 }).catch(undefinedIfClosed)
  }

  async guarded(): Promise<boolean> {
    return (await readFile(join(this.#folder, 'guardian')).catch(() => undefined)) !== undefined
  }

  async exists(): Promise<boolean> {
    return (await readFile(join(this.#folder, 'plan.json')).catch(() => undefined)) !== undefined
  }

  /** It is over, everywhere: one line in the history is what is left of it. */
  async close(): Promise<void> {
    const { id, source, target, process } = this.plan
    const { outcome, detail, at } = this.over ?? { ...NOTHING_DONE, at: new Date().toISOString() }
    const { pid, command } = process
    await remember({ at, id, from: source.name, to: target.name, pid, command, outcome, detail })
    // At once: who waits for the lock in it must not get it from half a journal.
    await rename(this.#folder, `${this.#folder}${CLOSED}`)
    await rm(`${this.#folder}${CLOSED}`, { recursive: true, force: true })
  }

  /** How another has ended it meanwhile. */
  async ending(): Promise<{ kind: Past['outcome']; detail: string }> {
    const past = (await pastMigrations()).findLast(({ id }) => id === this.plan.id)
    return past
      ? { kind: past.outcome, detail: past.detail }
      : { kind: 'gone', detail: 'its journal is gone' }
  }

  /** Forgets it, whatever its state. */
  async giveUp(): Promise<void> {
    await this.write({ event: 'over', outcome: 'gone', detail: 'given up by hand', sweep: [] })
    await this.close()
  }
}

/** A folder that is missing is no error here: another program has closed the journal, and removed it. */
function undefinedIfClosed(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

/** Whether an entry has to be on the disk before what follows is done. A transfer freezes the process, for instance. */
function decides({ event, ...entry }: New<Entry>): boolean {
  if (event === 'begins') return 'step' in entry && (entry.step === 'claim' || entry.step === 'transfer')
  return event !== 'did'
}

/** Has a file or folder written to the disk, so that what is in it survives a power failure. */
async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
