import { Chalk } from 'chalk'
import fc from 'fast-check'
import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import type { MeshNode, Report } from '../../../../lib/mesh/node.ts'
import { History } from '../../../../lib/mesh/observer/history.ts'
import type { Observed } from '../../../../lib/mesh/observer/observed.ts'
import { snapshotOf } from '../../../../lib/mesh/snapshot.ts'
import type { Process } from '../../../../lib/model/process.ts'
import type { Key, KeyName } from '../../../../lib/show/watch/keys.ts'
import type { Act, Scene } from '../../../../lib/show/watch/scene.ts'
import { View } from '../../../../lib/show/watch/view.ts'

const NOW = 1_800_000_000_000
const colours = new Chalk({ level: 1 })
const plain = new Chalk({ level: 0 })

const char = (text: string): Key => ({ kind: 'char', char: text })
const key = (name: KeyName): Key => ({ kind: 'key', name })

function processOf(pid: number, command: string, cpuPercent: number): Process {
  return { pid, user: 'operator', command, cpuPercent, memPercent: 1, rssBytes: 1e7, runtimeHours: 1 }
}

type Given = { load1?: number; reason?: string; closed?: string; processes?: Process[]; late?: boolean }

function observed(name: string, { load1, reason, closed, processes, late = false }: Given): Observed {
  const node: MeshNode = { name, address: '100.64.0.1', os: 'linux', self: name === 'n1' }
  const history = new History(2000)
  const report: Report | undefined =
    reason !== undefined
      ? { node, outcome: 'timeout', reason }
      : load1 === undefined
        ? undefined
        : {
            node,
            outcome: 'ok',
            ageMs: 1,
            measurement: {
              os: 'linux',
              load1,
              load5: load1,
              load15: load1,
              cpus: 2,
              pressure: { some10: 12, some60: 3 },
              availableBytes: 3e9,
              ...(closed === undefined ? {} : { receiver: { closed, arrivals: [] } }),
            },
          }
  if (load1 !== undefined) history.add({ atMs: NOW - 1000, ratio: load1 / 2 })
  return {
    node,
    late,
    history,
    measuredAtMs: NOW - 15_000,
    ...(report ? { report } : {}),
    ...(processes ? { processes: { list: processes, atMs: NOW, onlyOwn: false, withUsers: true } } : {}),
  }
}

function sceneOf(machines: Observed[], acts: Act[] = []): Scene {
  const reports = machines.flatMap(({ report }) => report ?? [])
  return {
    machines: new Map(machines.map((each) => [each.node.name, each])),
    mesh: snapshotOf(reports, new Date(NOW), { from: 'tailnet' }),
    underWay: { migrations: [], jobs: [] },
    acts,
    nowMs: NOW,
  }
}

const mesh = () =>
  sceneOf([
    observed('n1', { load1: 0.8 }),
    observed('n2', { load1: 1.9, processes: [processOf(7, 'burn', 99), processOf(8, 'idle', 0)] }),
    observed('n3', { load1: 0, closed: 'mine' }),
    observed('n4', { reason: 'no answer for 12 s' }),
    observed('n5', {}),
  ])

const size = { columns: 100, rows: 20 }
const shown = (view: View, scene: Scene) => view.frame(scene, size, plain)

test('a row a machine, Σ and the rule on top', () => {
  const lines = shown(new View(), mesh())
  expect(lines).toHaveLength(20)
  expect(lines[0]).toContain('Σ = 0: ≡ 0 (mod 3), the invariant holds')
  expect(lines[1]).toContain('Rule 3')
  expect(lines[2]).toContain('5 machines, 1 being asked, 1 without a measurement')
  expect(lines[4]).toMatch(/^> n2 .*\+1 PLUS +0\.95 ████████ .* 12 +2\.8G burn +99%/)
  expect(lines[5]).toMatch(/^ {2}n1 \* .*0 ERGODIC +0\.40 ███░/)
  expect(lines[6]).toMatch(/^ {2}n3 .*-1 MINUS .*closed: mine/)
  expect(lines[7]).toMatch(/^ {2}n4 .*timeout: no answer for 12 s/)
  expect(lines[8]).toMatch(/^ {2}n5 .*asking/)
})

test('a machine that is late shows how old its numbers are, and after that how it was', () => {
  const late = sceneOf([observed('n1', { load1: 1, late: true })])
  expect(shown(new View(), late).join('\n')).toMatch(/n1 \* .*15 s ago/)
  const silent = observed('n1', { reason: 'gone' })
  silent.history.add({ atMs: NOW - 15_000, ratio: 0.5 })
  expect(shown(new View(), sceneOf([silent])).join('\n')).toContain('timeout: gone; ratio 0.50 15 s ago')
})

test('keys choose, filter, sort, look at a machine and come back', () => {
  const [view, scene] = [new View(), mesh()]
  const chosen = () => shown(view, scene).find((line) => line.startsWith('>'))
  shown(view, scene)
  view.press(char('j'), scene)
  expect(chosen()).toContain('n1')
  view.press(key('end'), scene)
  expect(chosen()).toContain('n5')
  view.press(key('wheel-up'), scene)
  expect(chosen()).toContain('n4')
  view.press(char('s'), scene)
  expect(shown(view, scene)[4]).toContain('n1')
  for (const each of ['/', 'n', '3']) view.press(char(each), scene)
  view.press(key('enter'), scene)
  expect(shown(view, scene)[2]).toContain('1 match "n3"')
  expect(chosen()).toContain('n3')
  view.press(key('escape'), scene)
  view.press(char('g'), scene)
  view.press(char('j'), scene)
  view.press(key('enter'), scene)
  expect(view.lookedAt).toBe('n2')
  const page = shown(view, scene)
  expect(page[0]).toContain('n2: +1 PLUS, ratio 0.95, load 1.90 1.90 1.90 on 2 CPUs')
  expect(page[4]).toMatch(/^> +7 operator +burn +99\.0 .*0\.60 0\.59\+0\.00\+0\.00 +1? ?.*migrate/)
  view.press(char('h'), scene)
  expect(view.lookedAt).toBeUndefined()
})

test('machines of one load, and those sorted by name, stand as people count: n9 before n10', () => {
  const names = ['n10', 'n2', 'n9', 'n1']
  const scene = sceneOf(names.map((name) => observed(name, { load1: 1 })))
  const view = new View()
  const order = () => shown(view, scene).flatMap((line) => /^[> ] (n\d+)/.exec(line)?.[1] ?? [])
  expect(order()).toEqual(['n1', 'n2', 'n9', 'n10'])
  view.press(char('s'), scene)
  expect(shown(view, scene)[2]).toContain('sorted by name')
  expect(order()).toEqual(['n1', 'n2', 'n9', 'n10'])
})

test('of the chosen row ink and paper are changed over, but not what is drawn with filled cells', () => {
  const scene = sceneOf([observed('n1', { load1: 1.9, processes: [processOf(7, 'burn', 99)] })])
  const [line = ''] = new View()
    .frame(scene, { columns: 100, rows: 10 }, colours)
    .filter((each) => each.includes('n1 *'))
  const inverse = [...line.matchAll(/\u001B\[7m(.*?)\u001B\[27m/g)].map(([, text]) => text).join('')
  expect(inverse).toMatch(/^> .*n1 \*.*PLUS.*0\.95.*burn/)
  expect(inverse).not.toMatch(/[▁-█░]/)
  expect(line).toMatch(/\u001B\[31m████████\u001B\[39m/)
  // Where there is nothing, there is no colour of it either.
  expect(line).not.toContain('\u001B[35m')
})

test('an acting key needs a process, and acts on the one that was shown as chosen', () => {
  const [view, scene] = [new View(), mesh()]
  shown(view, scene)
  expect(view.press(char('m'), scene)).toBeUndefined()
  expect(shown(view, scene).at(-1)).toContain('choose a process first')
  view.press(key('enter'), scene)
  shown(view, scene)
  expect(view.press(char('x'), scene)).toMatchObject({
    kind: 'act',
    deed: 'kill',
    host: 'n2',
    process: { pid: 7 },
  })
  // Another one has come to stand first, and was not seen yet.
  const later = sceneOf([
    observed('n2', { load1: 1.9, processes: [processOf(9, 'new', 100), processOf(7, 'burn', 1)] }),
  ])
  expect(view.press(char('t'), later)).toMatchObject({ deed: 'throttle', process: { pid: 7 } })
})

test('a question takes nothing but a y for a yes', () => {
  const [view, scene] = [new View(), mesh()]
  view.question = 'End 7 (burn)'
  expect(shown(view, scene).at(-1)).toContain('End 7 (burn)? [y/N]')
  expect(view.press(char('y'), scene)).toEqual({ kind: 'answer', yes: true })
  expect(view.press(char('x'), scene)).toEqual({ kind: 'answer', yes: false })
  expect(view.press(key('enter'), scene)).toEqual({ kind: 'answer', yes: false })
  // What is pasted is no answer.
  expect(view.press({ kind: 'paste', text: 'y' }, scene)).toBeUndefined()
  expect(view.press(key('interrupt'), scene)).toEqual({ kind: 'interrupt' })
})

test('what was begun is shown at both ends, and how it ended', () => {
  const act: Act = {
    id: 1,
    deed: 'migrate',
    host: 'n2',
    to: 'n3',
    pid: 7,
    command: 'burn',
    state: 'running',
    says: 'sending',
  }
  const scene = sceneOf([...mesh().machines.values()], [act])
  const wide = new View().frame(scene, { columns: 160, rows: 20 }, plain).join('\n')
  expect(wide).toMatch(/n2 .*migrate PID 7: sending/)
  expect(wide).toMatch(/n3 .*<- PID 7 from n2: sending/)
  const view = new View()
  view.press(key('enter'), scene)
  expect(shown(view, scene)[4]).toMatch(/^> +7 .*sending/)
  expect(shown(view, scene).join('\n')).toContain('migrate PID 7 (burn) n2 -> n3: sending')
})

test('no machine can move the cursor, colour a line or make it wider than the screen', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '\u001B[2J\u001B]0;x\u0007',
      '\u009B31m',
      'a\r\nb\tc',
      '\u202Egnp',
      '漢字漢字漢字漢字',
      '👩‍👩‍👧‍👦'.repeat(9),
    ),
  )
  const press = fc.constantFrom<Key>(
    ...['j', 's', '/', 'x', 'm', '?', 'h'].map(char),
    key('enter'),
    key('escape'),
  )
  fc.assert(
    fc.property(
      fc.array(hostile, { minLength: 5, maxLength: 5 }),
      fc.array(press, { maxLength: 6 }),
      fc.record({ columns: fc.integer({ min: 20, max: 200 }), rows: fc.integer({ min: 3, max: 40 }) }),
      ([name = '', reason = '', closed = '', command = '', says = ''], keys, screen) => {
        const machines = [
          observed(name, { load1: 1.9, closed, processes: [processOf(7, command, 99)] }),
          observed(`${name}2`, { reason }),
        ]
        const act: Act = { id: 1, deed: 'kill', host: name, pid: 7, command, state: 'failed', says }
        const [view, scene] = [new View(), sceneOf(machines, [act])]
        view.frame(scene, screen, colours)
        keys.forEach((each) => view.press(each, scene))
        const lines = view.frame(scene, screen, colours)
        expect(lines).toHaveLength(screen.rows)
        for (const line of lines) {
          const text = line.replaceAll(/\u001B\[\d+m/g, '')
          expect(text).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/)
          expect(stringWidth(text)).toBeLessThanOrEqual(screen.columns)
        }
      },
    ),
    { numRuns: 300 },
  )
})
