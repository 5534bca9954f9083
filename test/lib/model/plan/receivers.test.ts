import fc from 'fast-check'
import { expect, test } from 'vitest'
import { forecasts, holds, loadWith, type Forecast } from '../../../../lib/model/plan/forecast.ts'
import { Receivers } from '../../../../lib/model/plan/receivers.ts'
import { node, OPTIONS } from './mesh.ts'

const nodes = fc.array(
  fc.record({
    load1: fc.constantFrom(0, 0.1, 0.5, 1, 2.5),
    cpus: fc.constantFrom(1, 2, 4, 16),
    memory: fc.integer({ min: 0, max: 10 }),
  }),
  { maxLength: 20 },
)
const requests = fc.array(
  fc.record({ cpu: fc.double({ min: 0, max: 6, noNaN: true }), memory: fc.integer({ min: 0, max: 10 }) }),
  { maxLength: 40 },
)

/** The same by asking all of them, one after the other. */
function firstThatFits(ranked: readonly Forecast[], cpu: number, memory: number): Forecast | undefined {
  return ranked.find(
    (each) => holds(loadWith(each, cpu), each.cpus) && (each.node.freeMemoryBytes ?? 0) >= memory,
  )
}

test('each request gets the receiver with the lowest ratio of those left that it fits, or none', () => {
  fc.assert(
    fc.property(nodes, requests, (given, asked) => {
      const all = forecasts(
        given.map(({ load1, cpus, memory }, index) =>
          node(`n${index}`, load1, cpus, { freeMemoryBytes: memory }),
        ),
        OPTIONS,
      )
      const receivers = new Receivers(all)
      let left = all.toSorted(
        (a, b) => a.load / a.cpus - b.load / b.cpus || b.cpus - a.cpus || (a.name < b.name ? -1 : 1),
      )
      for (const { cpu, memory } of asked) {
        const expected = firstThatFits(left, cpu, memory)
        expect(receivers.take(cpu, memory)?.name).toBe(expected?.name)
        left = left.filter((each) => each !== expected)
      }
    }),
    { numRuns: 2000 },
  )
})
