import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NodeState } from '../../../lib/mesh/snapshot.ts'
import { meshMetrics, type WatchedNode } from '../../../lib/monitor/mesh-metrics.ts'
import { metrics } from '../../../lib/monitor/metrics.ts'
import { promtoolCheck, withoutPromtool } from '../../promtool.ts'

const NOW = 1_000_000
const about = (name: string) => ({ name, address: '100.64.0.1', os: 'linux', self: false })
const busy: WatchedNode = {
  state: {
    ...about('n1'),
    outcome: 'ok',
    load1: 3,
    load5: 2,
    load15: 1,
    cpus: 2,
    ratio: 1.5,
    trit: 1,
    pressure: { some10: 25, some60: 10 },
    availableBytes: 1024,
    receiver: { closed: 'a talk', arrivals: [] },
  },
  measuredAtMs: NOW - 1500,
  processes: [
    { pid: 7, user: '?', command: 'sh', cpuPercent: 100, memPercent: 0, rssBytes: 1, runtimeHours: 0 },
    { pid: 8, user: '?', command: 'idle', cpuPercent: 1, memPercent: 0, rssBytes: 1, runtimeHours: 0 },
  ],
}
const gone = (name: string): WatchedNode => ({
  state: { ...about(name), outcome: 'unreachable', reason: 'no route' },
  measuredAtMs: NOW - 60_000,
})
const MESH = { sum: 1, rule: 1, invariantHolds: false } as const
const AT = { nowMs: NOW, openMetrics: false }

const samples = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('each machine tells what is known of it, and one without a measurement only why there is none', () => {
  expect(samples(meshMetrics([busy, gone('n2')], MESH, AT))).toEqual(
    [
      'node_up{host="n1"} 1',
      'node_up{host="n2"} 0',
      'node_fault{host="n2",fault="unreachable"} 1',
      'measurement_age_seconds{host="n1"} 1.5',
      'measurement_age_seconds{host="n2"} 60',
      'node_trit{host="n1"} 1',
      'load_ratio{host="n1"} 1.5',
      'load1{host="n1"} 3',
      'load5{host="n1"} 2',
      'load15{host="n1"} 1',
      'cpus{host="n1"} 2',
      'cpu_waiting_ratio{host="n1"} 0.25',
      'memory_available_bytes{host="n1"} 1024',
      'node_closed{host="n1"} 1',
      'node_reserved{host="n1"} 0',
      'scum_processes{host="n1"} 1',
      'process_score{host="n1",pid="7",command="sh"} 0.6',
      'mesh_balance 1',
      'mesh_rule 1',
      'mesh_invariant 0',
    ].map((line) => `resource_sharing_${line}`),
  )
})

test('a machine that was left out is no machine of it, and where none is measured there is no sum', () => {
  const skipped: NodeState = { ...about('phone'), outcome: 'skipped', reason: 'a phone' }
  expect(samples(meshMetrics([{ state: skipped }], {}, AT))).toEqual([])
})

test('what a machine tells of itself has the same name and the same help here', () => {
  const alone = metrics({ trit: 1, ratio: 1.5, scumProcesses: 1, processes: busy.processes ?? [] })
  const names = [...alone.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
  const whole = meshMetrics([busy], MESH, AT)
  expect(names.filter((name) => !whole.includes(`# TYPE ${name} gauge\n`))).toEqual([])
})

test('OpenMetrics ends with its mark, the older format does not', () => {
  expect(meshMetrics([busy], MESH, { ...AT, openMetrics: true })).toMatch(/\n# EOF\n$/)
  expect(meshMetrics([busy], MESH, AT)).not.toContain('EOF')
})

test.skipIf(withoutPromtool)(
  'promtool has nothing to say, whatever machines and processes are called',
  async () => {
    const name = fc.oneof(
      fc.constantFrom('a"b\\c', 'new\nline', '"} 1\nup 1', '{}', '#', '\uD800', '\u001B[31m', 'ünï 日本'),
      fc.string({ unit: 'binary' }),
    )
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { maxLength: 5 }), name, async (names, command) => {
        const nodes = names.map((each, index): WatchedNode => ({
          ...busy,
          // Names are unique in a mesh, and what is made plain may not be.
          state: { ...busy.state, name: `${index} ${each}` },
          processes: (busy.processes ?? []).map((process) => ({ ...process, command })),
        }))
        const text = meshMetrics([...nodes, gone('other')], MESH, AT)
        expect(samples(text).filter((line) => line.startsWith('resource_sharing_node_up{'))).toHaveLength(
          names.length + 1,
        )
        expect(await promtoolCheck(text)).toEqual({ exitCode: 0, said: '' })
      }),
      { numRuns: 15 },
    )
  },
)
