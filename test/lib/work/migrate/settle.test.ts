import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Connections } from '../../../../lib/mesh/connections.ts'
import { Journal, type Entry } from '../../../../lib/work/migrate/journal.ts'
import { Machine, STEP, type StepEnd } from '../../../../lib/work/migrate/machine.ts'
import { migrationOf } from '../../../../lib/work/migrate/migration.ts'
import { settle, type Settlement } from '../../../../lib/work/migrate/settle.ts'
import { PLAN } from './a-plan.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-settle-'))
  vi.stubEnv('XDG_STATE_HOME', folder)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const reach = { connections: await Connections.open(), connectMs: 1000 }

/** What a machine answers to each step, one answer a call; the last one is given again. */
type Answers = Readonly<Record<string, readonly StepEnd[]>>

/** A machine that is asked nothing: its answers are the test's, and what it was told is kept. */
class Scripted extends Machine {
  readonly told: string[]
  readonly #answers: Answers

  constructor(end: 'source' | 'target', answers: Answers, told: string[]) {
    super({ name: end === 'source' ? 'n1' : 'n2' }, end, PLAN, reach)
    this.#answers = answers
    this.told = told
  }

  override async step(step: string): Promise<StepEnd> {
    const times = this.told.filter((each) => each === `${this.host.name} ${step}`).length
    this.told.push(`${this.host.name} ${step}`)
    const all = this.#answers[step] ?? []
    const answer = all[Math.min(times, all.length - 1)]
    if (answer === undefined) throw new Error(`${this.host.name} was not to be told ${step}`)
    return answer
  }
}

function ends(status: number, facts: Record<string, string> = {}, marks: string[] = []): StepEnd {
  return {
    known: true,
    status,
    why: 'it says so',
    facts: new Map(Object.entries(facts)),
    marks: new Set(marks),
  }
}
const OK = ends(STEP.done)
const RUNS = ends(STEP.done, { process: 'running' })
const LOST = ends(STEP.done, { lost: '1' }, ['dumped'])
const SILENT: StepEnd = { known: false, reason: 'no answer' }
const GOES_ON = { kill: [OK], finish: [OK] }
const TAKES = { continue: [OK], finish: [OK] }

const begins = (...steps: string[]) => steps.map((step) => ({ event: 'begins', step }) as const)
const did = (...steps: string[]) => steps.map((step) => ({ event: 'did', step }) as const)
const UNTIL_TRANSFER = [...begins('claim', 'reserve', 'stage', 'transfer')]
const COMMITTED = [...UNTIL_TRANSFER, { event: 'commit' } as const]
const KILLED = [...COMMITTED, ...did('kill')]
const overWith = (outcome: 'moved' | 'back', ...sweep: ('source' | 'target')[]) =>
  ({ event: 'over', outcome, detail: 'as it was', sweep }) as const

type New<E> = E extends { at: string } ? Omit<E, 'at'> : never
type Case = {
  journal: readonly New<Entry>[]
  source?: Answers
  target?: Answers
  told: string[]
  kind: Settlement['kind']
  detail: RegExp
  /** Whether the journal stays, for somebody to come back to. */
  stays?: true
}

const CASES: Record<string, Case> = {
  'nothing but the claim was begun: it is undone, and the target is not asked': {
    journal: begins('claim'),
    source: { undo: [RUNS] },
    told: ['n1 undo'],
    kind: 'back',
    detail: /^why it ended$/,
  },
  'before the transfer a source that is silent is swept later: the process was never touched': {
    journal: begins('claim', 'reserve'),
    source: { undo: [SILENT] },
    target: { undo: [OK] },
    told: ['n1 undo', 'n2 undo'],
    kind: 'back',
    detail: /^why it ended$/,
    stays: true,
  },
  'in the middle of the transfer both are undone, the source first': {
    journal: UNTIL_TRANSFER,
    source: { facts: [OK], undo: [RUNS] },
    target: { undo: [OK] },
    told: ['n1 facts', 'n1 undo', 'n2 undo'],
    kind: 'back',
    detail: /^why it ended$/,
  },
  'a source that can not be asked may have a frozen process: nobody decides': {
    journal: UNTIL_TRANSFER,
    source: { facts: [SILENT] },
    told: ['n1 facts'],
    kind: 'doubt',
    detail: /^n1 can't be asked \(no answer\): the process may be frozen there$/,
    stays: true,
  },
  'a source that falls silent before it is undone is in doubt too, and the copy is kept': {
    journal: UNTIL_TRANSFER,
    source: { facts: [OK], undo: [SILENT] },
    told: ['n1 facts', 'n1 undo'],
    kind: 'doubt',
    detail: /frozen there$/,
    stays: true,
  },
  'a process that was lost after its images had all arrived goes on from them': {
    journal: UNTIL_TRANSFER,
    source: { facts: [LOST], ...GOES_ON },
    target: { facts: [ends(STEP.done, { images: 'whole' })], ...TAKES },
    told: ['n1 facts', 'n2 facts', 'n1 kill', 'n2 continue', 'n1 finish', 'n2 finish'],
    kind: 'moved',
    detail: /^it runs on n2 as PID 4711$/,
  },
  'a process that was lost before all of its images had arrived is gone': {
    journal: UNTIL_TRANSFER,
    source: { facts: [LOST], undo: [ends(STEP.done, { process: 'gone', kept: '/images' })] },
    target: { facts: [ends(STEP.done, { images: 'half' })], undo: [OK] },
    told: ['n1 facts', 'n2 facts', 'n1 undo', 'n2 undo'],
    kind: 'gone',
    detail: /^PID 4711 has ended on n1; its images are in \/images there$/,
  },
  'a process that was lost while nobody knows what has arrived is in doubt': {
    journal: UNTIL_TRANSFER,
    source: { facts: [LOST] },
    target: { facts: [SILENT] },
    told: ['n1 facts', 'n2 facts'],
    kind: 'doubt',
    detail: /^n2 can't be asked \(no answer\): the process is gone from n1$/,
    stays: true,
  },
  'a process that has lost a part of itself while it was frozen does not go on': {
    journal: UNTIL_TRANSFER,
    source: { facts: [OK], undo: [ends(STEP.done, { process: 'torn' })] },
    target: { undo: [OK] },
    told: ['n1 facts', 'n1 undo', 'n2 undo'],
    kind: 'gone',
    detail: /has lost a part of itself on n1/,
  },
  'a source that was told to end the process shows that there was a commit: the copy goes on': {
    journal: UNTIL_TRANSFER,
    source: { facts: [OK], undo: [ends(STEP.tooLate)], ...GOES_ON },
    target: TAKES,
    told: ['n1 facts', 'n1 undo', 'n1 kill', 'n2 continue', 'n1 finish', 'n2 finish'],
    kind: 'moved',
    detail: /^it runs on n2/,
  },
  'after the commit nothing is undone': {
    journal: COMMITTED,
    source: GOES_ON,
    target: TAKES,
    told: ['n1 kill', 'n2 continue', 'n1 finish', 'n2 finish'],
    kind: 'moved',
    detail: /^it runs on n2/,
  },
  'a step that is known to be done is not taken again': {
    journal: KILLED,
    source: { finish: [OK] },
    target: TAKES,
    told: ['n2 continue', 'n1 finish', 'n2 finish'],
    kind: 'moved',
    detail: /^it runs on n2/,
  },
  'an original of which nobody knows whether it has ended keeps the copy stopped': {
    journal: COMMITTED,
    source: { kill: [SILENT] },
    told: ['n1 kill'],
    kind: 'doubt',
    detail: /^n1: the original can not be ended: no answer$/,
    stays: true,
  },
  'an original that has run on since is the process after all': {
    journal: COMMITTED,
    source: { kill: [ends(STEP.hasRun)], undo: [RUNS] },
    target: { undo: [OK] },
    told: ['n1 kill', 'n1 undo', 'n2 undo'],
    kind: 'back',
    detail: /^n1: the original can not be ended/,
  },
  'a copy that was lost before it was continued is restored again': {
    journal: KILLED,
    source: { finish: [OK] },
    target: { continue: [ends(STEP.gone), OK], restore: [OK], finish: [OK] },
    told: ['n2 continue', 'n2 restore', 'n2 continue', 'n1 finish', 'n2 finish'],
    kind: 'moved',
    detail: /^it runs on n2/,
  },
  'a copy that can not be restored again is in doubt': {
    journal: KILLED,
    target: { continue: [ends(STEP.fenced)], restore: [ends(STEP.failed)] },
    told: ['n2 continue', 'n2 restore'],
    kind: 'doubt',
    detail: /^n2: the process can't be restored again: it says so$/,
    stays: true,
  },
  'a copy that may have run on before its machine was restarted is never restored by itself': {
    journal: KILLED,
    target: { continue: [ends(STEP.tooLate)] },
    told: ['n2 continue'],
    kind: 'doubt',
    detail: /it may have run on, and is gone/,
    stays: true,
  },
  'what can not be swept now is swept later, and has moved all the same': {
    journal: KILLED,
    source: { finish: [SILENT] },
    target: TAKES,
    told: ['n2 continue', 'n1 finish', 'n2 finish'],
    kind: 'moved',
    detail: /^it runs on n2/,
    stays: true,
  },
  'of one that has moved only what is left is swept': {
    journal: [...KILLED, overWith('moved', 'source')],
    source: { finish: [OK] },
    told: ['n1 finish'],
    kind: 'moved',
    detail: /^as it was$/,
  },
  'a machine that has nothing of it any more is swept': {
    journal: [...UNTIL_TRANSFER, overWith('back', 'target')],
    target: { undo: [ends(STEP.fenced, { absent: '1' })] },
    told: ['n2 undo'],
    kind: 'back',
    detail: /^as it was$/,
  },
  'a machine that is still silent is named': {
    journal: [...UNTIL_TRANSFER, overWith('back', 'target')],
    target: { undo: [SILENT] },
    told: ['n2 undo'],
    kind: 'back',
    detail: /^as it was; to be swept: n2$/,
    stays: true,
  },
}

test.each(Object.entries(CASES))(
  '%s',
  async (_, { journal: entries, source, target, stays, ...expected }) => {
    const journal = await Journal.create(PLAN)
    for (const entry of entries) await journal.write(entry)
    const told: string[] = []
    const migration = {
      ...migrationOf(journal, reach, new AbortController().signal),
      source: new Scripted('source', source ?? {}, told),
      target: new Scripted('target', target ?? {}, told),
    }
    const { kind, detail } = await settle(migration, 'why it ended')
    expect({ kind, told }).toEqual({ kind: expected.kind, told: expected.told })
    expect(detail).toMatch(expected.detail)
    expect(await journal.exists()).toBe(stays ?? false)
  },
)
