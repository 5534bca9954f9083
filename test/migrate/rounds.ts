import { FROM_COMMIT, TO_COMMIT } from '../../lib/work/migrate/steps.ts'
import type { Lab } from '../lab/lab.ts'
import { FAULTS, SOCKET_FAULTS, TERMINAL_FAULTS, type Fault, type Scene } from './faults.ts'
import { cleanUp, trial, type Moment, type Result } from './trial.ts'

export type Rounds = {
  count: number
  seed: number
  /** Only faults with these words in their names. */
  fault?: string | undefined
  /** Every fault before and in the middle of every step, instead of random ones. */
  systematic: boolean
  /** What moves has been started at a terminal, and that may go wrong too. */
  terminals?: boolean
  /** What moves has a socket of the network. */
  sockets?: boolean
}

const STEPS = [...[...TO_COMMIT, ...FROM_COMMIT].map(({ name }) => name), 'finish']
/** Shorter than most steps take. */
const AMID_MS = 20
/** Longer than most steps take. */
const MOST_DELAY_MS = 400

/** Trials one after the other. @returns how many went wrong, and the table */
export async function torture(
  lab: Lab,
  { count, seed, fault: words = '', systematic, terminals = false, sockets = false }: Rounds,
  say: (line: string) => void,
): Promise<{ wrong: number; lines: string[] }> {
  for (const host of ['n1', 'n3']) await lab.trustLan(host)
  const random = randomFrom(seed)
  const pick = <T>(from: readonly T[]): T => {
    const one = from[Math.floor(random() * from.length)]
    if (one === undefined) throw new Error(`no fault has ${words} in its name`)
    return one
  }
  if (sockets) for (const host of ['n1', 'n2']) await lab.become(host, 'newer-criu')
  const known = [...(terminals ? TERMINAL_FAULTS : []), ...(sockets ? SOCKET_FAULTS : []), ...FAULTS]
  const faults = known.filter(({ name }) => name.includes(words))
  const moments = STEPS.flatMap((step): Moment[] => [{ step }, { step, delayMs: AMID_MS }])
  const all = faults.flatMap((fault) => moments.map((moment) => ({ fault, moment })))
  const chosen: { fault: Fault; moment: Moment }[] = systematic
    ? all
    : Array.from({ length: count }, (_, index) => ({
        // In turns: a few trials have every fault already.
        fault: faults[index % faults.length] ?? pick(faults),
        moment: {
          step: pick(STEPS),
          ...(random() < 0.25 ? {} : { delayMs: Math.floor(random() * MOST_DELAY_MS) }),
        },
      }))
  const table = new Map<string, Map<string, number>>()
  let wrong = 0
  for (const [index, { fault, moment }] of chosen.entries()) {
    const scene: Scene = {
      lab,
      coordinator: fault.thirdOnly || random() < 0.3 ? 'n3' : 'n1',
      ...(terminals ? { terminal: pick(['job', 'shell'] as const) } : {}),
      ...(sockets ? { socket: pick(['server', 'client'] as const) } : {}),
    }
    await cleanUp(scene)
    const began = performance.now()
    const result = await trial(scene, fault, moment)
    const outcome = outcomeText(result)
    const row = table.get(fault.name) ?? new Map<string, number>()
    table.set(fault.name, row.set(outcome, (row.get(outcome) ?? 0) + 1))
    const kind = scene.terminal ?? scene.socket
    const what = kind === undefined ? '' : ` of a ${kind}`
    const at =
      moment.delayMs === undefined ? `before ${moment.step}` : `${moment.delayMs} ms into ${moment.step}`
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    say(
      `${index + 1}/${chosen.length} ${fault.name}, ${at}, by ${scene.coordinator}${what}: ${outcome} (${seconds} s)`,
    )
    result.faults.forEach((line) => say(`  WRONG: ${line}`))
    if (result.faults.length > 0) wrong += 1
  }
  await cleanUp({ lab, coordinator: 'n1' })
  const lines = [...table].flatMap(([fault, row]) =>
    [...row].map(([outcome, times]) => `${fault} × ${outcome} × ${times}`),
  )
  return { wrong, lines: [`seed ${seed}: ${chosen.length} trials, ${wrong} wrong`, ...lines] }
}

function outcomeText({ outcome, settledBy, faults }: Result): string {
  const what = {
    moved: 'moved',
    back: 'runs where it was',
    gone: 'gone with what was killed',
    told: 'may have run on before its machine was switched off; a person decides',
    wrong: 'WRONG',
  }[outcome]
  return `${faults.length > 0 ? 'WRONG, ' : ''}${what}${settledBy === 'recover' ? ', after migrate-recover' : ''}`
}

/** Numbers from 0 to 1, the same for the same seed: mulberry32, public domain, by Tommy Ettinger. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
