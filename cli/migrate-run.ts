import { EXIT } from '../lib/errors.ts'
import type { Reach } from '../lib/host/host.ts'
import { aftermath, type Aftermath } from '../lib/migrate/aftermath.ts'
import { Journal } from '../lib/migrate/journal.ts'
import type { Plan } from '../lib/migrate/plan.ts'
import type { Outcome } from '../lib/migrate/settle.ts'
import { FROM_COMMIT, TO_COMMIT } from '../lib/migrate/steps.ts'
import { migrate, startGuardian, type Ended } from '../lib/migrate/transaction.ts'
import { bytesText } from '../lib/show/bytes.ts'
import { progress } from '../lib/show/progress.ts'
import { plain } from '../lib/text.ts'
import type { COMMON, Context } from './recipe.ts'
import { standalone } from './standalone.ts'

/** How long the guardian tries to reach machines that can't be reached, in seconds. */
const GUARDIAN_SECONDS = 600
// From migration.md's measurements: what a freeze takes at least, and how fast images go over ssh.
const LEAST_SECONDS = 0.2
const BYTES_PER_SECOND = 150e6

const TITLES = new Map<string, string>([...TO_COMMIT, ...FROM_COMMIT].map(({ name, title }) => [name, title]))

/** What would be done, for a person. */
export function planText({ process, source, target, ship, via, changes }: Plan): string[] {
  const seconds = LEAST_SECONDS + process.rssBytes / BYTES_PER_SECOND
  const parts = process.tasks === 1 ? '' : `, with ${process.tasks - 1} children`
  return [
    `PID ${process.pid} (${plain(process.command, 40)})${parts} would move from ${source.name} to ${target.name} by ${via}:`,
    `${bytesText(process.rssBytes)} of memory, about ${seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)} s of standing still`,
    ...ship.map((file) => `${plain(file)} would go along`),
    ...changes.map((line) => plain(line, 400)),
  ]
}

export type Run = Ended & { exitCode: number }

/** Carries a plan out, and tells how it goes and how it ended. */
export async function carryOut(
  plan: Plan,
  context: Pick<Context<typeof COMMON>, 'values' | 'signal' | 'note' | 'print' | 'printJson'>,
  reach: Reach,
): Promise<Run> {
  const { values, signal, note, print, printJson } = context
  const journal = await Journal.create(plan)
  const lock = await journal.lock()
  if (!lock) throw new RangeError('the lock of a new journal is taken')
  const spinner = await progress(process.stderr, 'moving', !values.quiet)
  const went = { bytes: 0, began: performance.now(), frozen: Number.NaN, running: Number.NaN }
  const say = (line: string) => {
    if (values.quiet) return
    spinner.stop()
    note(line)
  }
  try {
    await startGuardian(
      standalone('migrate-recover', [plan.id, '--wait', String(GUARDIAN_SECONDS), '--quiet']),
      journal,
    ).catch(async (error: unknown) => {
      await journal.close()
      throw error
    })
    const ended = await migrate(journal, reach, signal, {
      step: (name) => {
        if (name === 'transfer') went.frozen = performance.now()
        if (name === 'finish') went.running = performance.now()
        const title = TITLES.get(name)
        if (title !== undefined) say(title)
      },
      moved: (bytes) => {
        if (went.bytes === 0) went.began = performance.now()
        went.bytes += bytes
        const speed = `${bytesText((1000 * went.bytes) / Math.max(1, performance.now() - went.began))}/s`
        if (bytes === 0) say(`sent ${bytesText(went.bytes)}, ${speed}; restoring`)
        else spinner.update(`sending: ${bytesText(went.bytes)}, ${speed}`)
      },
    })
    const downtimeSeconds = (went.running - went.frozen) / 1000
    const exitCode = exitOf(ended)
    const state = ended.kind === 'moved' ? await aftermath(plan, reach, signal) : undefined
    // Another target is tried.
    if (ended.refused === 'by target' && !plan.named) return { ...ended, exitCode }
    if (values.json)
      printJson({
        id: plan.id,
        outcome: ended.kind,
        detail: ended.detail,
        from: plan.source.name,
        to: plan.target.name,
        pid: plan.process.pid,
        command: plan.process.command,
        tasks: plan.process.tasks,
        bytes: went.bytes,
        ...(state === undefined ? {} : { state }),
        ...(Number.isNaN(downtimeSeconds) ? {} : { downtimeSeconds }),
      })
    else if (state !== undefined) movedText(plan, state, downtimeSeconds).forEach((line) => print(line))
    if (ended.kind !== 'moved') note(outcomeText(plan, ended))
    return { ...ended, exitCode }
  } finally {
    spinner.stop()
    await lock.release()
  }
}

function exitOf(ended: Ended): number {
  if (ended.kind === 'moved') return EXIT.done
  if (ended.kind === 'doubt') return EXIT.inDoubt
  if (ended.interrupted) return EXIT.interrupted
  return ended.refused ? EXIT.refused : EXIT.failed
}

const NOW: Record<Aftermath, (name: string) => string> = {
  running: (name) => `runs on ${name}`,
  stopped: (name) => `is on ${name}, stopped as it was,`,
  ended: (name) => `went on on ${name}, and has ended there since,`,
  unknown: (name) => `went on on ${name}, which can't be asked now whether it still does,`,
}

function movedText({ process, target, ship }: Plan, state: Aftermath, seconds: number): string[] {
  const { name } = target
  const logs = ship.map((file) => plain(file)).slice(0, 3)
  return [
    `PID ${process.pid} (${plain(process.command, 40)}) ${NOW[state](name)} as PID ${process.pid}; it stood still for ${seconds.toFixed(2)} s`,
    `to look at it: ssh ${name} ps -p ${process.pid}${logs.length > 0 ? `; its files: ${logs.join(', ')}` : ''}`,
  ]
}

/** How a migration that did not move anything ended, and what to do. */
export function outcomeText({ id, process, source }: Plan, outcome: Outcome): string {
  const { kind, detail } = outcome
  const what = `PID ${process.pid} (${plain(process.command, 40)})`
  if (kind === 'moved') return `${what}: ${detail}`
  if (kind === 'back') return `${plain(detail, 300)}: ${what} runs on ${source.name} as before`
  if (kind === 'gone') return plain(detail, 300)
  const next = outcome.decide ?? `run: just migrate-recover ${id}`
  return `in doubt: ${plain(detail, 400)}; ${plain(next, 400)}`
}
