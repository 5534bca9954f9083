import { isOver, titleOf } from '../../lib/work/jobs/job.ts'
import { readJobs } from '../../lib/work/jobs/spool.ts'
import { historySize, pastMigrations, type Past } from '../../lib/work/migrate/history.ts'
import { openJournals } from '../../lib/work/migrate/journal.ts'
import { stateOf, type State } from '../../lib/work/migrate/state.ts'
import { titleOfStep } from '../../lib/work/migrate/steps.ts'

/** What this machine has under way: migrations, those that have just ended too, and jobs that are elsewhere. */
export type UnderWay = {
  migrations: {
    id: string
    pid: number
    command: string
    from: string
    to: string
    state: State['state'] | 'over'
    /** What is being done, while somebody sees to it. */
    step?: string
    /** How it ended. */
    outcome?: Past['outcome']
  }[]
  jobs: { id: string; title: string; state: string; node: string }[]
}

/** For so long a migration that has ended is told of. */
const ENDED_MS = 60_000

/** Reads what is under way as it is written down on this machine, again and again: nobody else is asked. */
export class UnderWayReader {
  #size = -1
  #past: Past[] = []

  async read(): Promise<UnderWay> {
    const [{ journals }, jobs, past] = await Promise.all([openJournals(), readJobs(), this.#recent()])
    const open = await Promise.all(
      journals.map(async (journal) => {
        const { id, pid, command, from, to, state } = await stateOf(journal)
        const last = journal.entries.findLast((entry) => entry.event === 'begins')
        const step = state === 'under way' && last ? titleOfStep(last.step) : undefined
        return { id, pid, command, from, to, state, ...(step === undefined ? {} : { step }) }
      }),
    )
    const over = past.map(({ id, pid, command, from, to, outcome }) => ({
      id,
      pid,
      command,
      from,
      to,
      outcome,
      state: 'over' as const,
    }))
    return {
      migrations: [...open, ...over.filter(({ id }) => open.every((each) => each.id !== id))],
      jobs: jobs.flatMap((job) => {
        if (isOver(job) || !('host' in job.now)) return []
        return [{ id: job.id, title: titleOf(job), state: job.now.state, node: job.now.host.name }]
      }),
    }
  }

  async #recent(): Promise<Past[]> {
    const size = await historySize()
    if (size !== this.#size) this.#past = (await pastMigrations()).slice(-20)
    this.#size = size
    return this.#past.filter(({ at }) => Date.now() - Date.parse(at) < ENDED_MS)
  }
}
