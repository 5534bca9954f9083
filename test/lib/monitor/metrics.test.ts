import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeLabel, metrics } from '../../../lib/monitor/metrics.ts'
import { promtoolCheck, withoutPromtool } from '../../promtool.ts'

const busy = (pid: number, command: string, cpuPercent = 100) => ({
  pid,
  command,
  cpuPercent,
  memPercent: 0,
  runtimeHours: 0,
})
const observed = (processes: ReturnType<typeof busy>[]) =>
  ({ trit: -1, ratio: 0.125, scumProcesses: 3, processes }) as const

const scores = (text: string) =>
  text.split('\n').filter((line) => line.startsWith('resource_sharing_process_score{'))

test('each metric has a help, a type and a value, and no time', () => {
  expect(metrics(observed([busy(7, 'sh')]))).toBe(
    `# HELP resource_sharing_node_trit Trit of this machine: 1 overloaded, 0 balanced, -1 has room.
# TYPE resource_sharing_node_trit gauge
resource_sharing_node_trit -1
# HELP resource_sharing_load_ratio 1-minute load average over the CPUs that the machine may use.
# TYPE resource_sharing_load_ratio gauge
resource_sharing_load_ratio 0.125
# HELP resource_sharing_scum_processes Processes that use more than 30 % of a CPU.
# TYPE resource_sharing_scum_processes gauge
resource_sharing_scum_processes 3
# HELP resource_sharing_process_score SCUM score of the processes above 30 % of a CPU or 5 % of memory, the 10 highest.
# TYPE resource_sharing_process_score gauge
resource_sharing_process_score{pid="7",command="sh"} 0.6
`,
  )
})

test('the ten highest scores are there, of the SCUM class only, best first', () => {
  const many = Array.from({ length: 14 }, (_, index) => busy(index + 1, 'x', 31 + index))
  const idleForYears = { ...busy(99, 'old'), cpuPercent: 0, runtimeHours: 100_000 }
  const large = { ...busy(98, 'large'), cpuPercent: 0, memPercent: 90 }
  const pids = scores(metrics(observed([...many, idleForYears, large]))).map(
    (line) => /pid="(\d+)"/.exec(line)?.[1],
  )
  expect(pids).toEqual(['98', '14', '13', '12', '11', '10', '9', '8', '7', '6'])
})

test('without a process to tell of, its metric is left out', () => {
  expect(metrics(observed([busy(1, 'idle', 1)]))).not.toContain('process_score')
})

test.each([
  ['a quotation mark and a backslash', 'a"b\\c', String.raw`a\"b\\c`],
  ['a newline', 'two\nlines', String.raw`two\nlines`],
  ['letters of all the world', 'café 日本 😀', 'café 日本 😀'],
  ['an escape code', 'red\u001B[31m!', 'red!'],
  ['a carriage return and a NUL', 'a\rb\0c', 'a b c'],
  ['a change of direction', 'a\u202Eb', 'a b'],
])('a command with %s', (_, command, written) => {
  expect(scores(metrics(observed([busy(1, command)])))).toEqual([
    `resource_sharing_process_score{pid="1",command="${written}"} 0.6`,
  ])
})

test('any text comes back from its escapes, and they are on one line without a bare quotation mark', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeLabel(text)
      expect(escaped).toMatch(/^(?:[^\\"\n]|\\[\\"n])*$/)
      expect(
        escaped.replaceAll(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : String(character))),
      ).toBe(text)
    }),
  )
})

test.skipIf(withoutPromtool)('promtool has nothing to say against any command', async () => {
  const command = fc.oneof(
    fc.constantFrom('a"b\\c', 'ünïcode 日本', 'new\nline', '\\', '"', '\n', '{}', '#', '\uD800', ''),
    fc.string({ unit: 'binary' }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 10 }), async (commands) => {
      const text = metrics(observed(commands.map((name, index) => busy(index + 1, name, 100 + index))))
      expect(scores(text)).toHaveLength(commands.length)
      expect(await promtoolCheck(text)).toEqual({ exitCode: 0, said: '' })
    }),
    { numRuns: 25 },
  )
  expect((await promtoolCheck('x{a="b"c"} 1\n')).exitCode).not.toBe(0)
})
