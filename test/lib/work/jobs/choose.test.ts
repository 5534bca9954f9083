import { expect, test } from 'vitest'
import { choosePlaces } from '../../../../lib/work/jobs/choose.ts'
import type { Report } from '../../../../lib/mesh/node.ts'
import type { Marks } from '../../../../lib/machine/reservations/reservations.ts'

function ok(name: string, load1: number, cpus: number, receiver?: Marks, os = 'linux', self = false): Report {
  return {
    node: { name, address: name, os, self, ...(self ? {} : { ssh: { host: name } }) },
    outcome: 'ok',
    ageMs: 0,
    measurement: { os, load1, load5: 0, load15: 0, cpus, ...(receiver ? { receiver } : {}) },
  }
}
const names = (reports: Report[], cpu = 1) => choosePlaces(reports, cpu).places.map(({ host }) => host.name)

test('the machine that is emptiest with the work comes first, what has just arrived there counted', () => {
  const arrivals = [{ secondsAgo: 5, cpu: 2 }]
  expect(names([ok('a', 0.1, 8, { arrivals }), ok('b', 0.5, 8), ok('c', 0, 4)])).toEqual(['b', 'c', 'a'])
  expect(names([ok('n10', 0, 4), ok('n9', 0, 4)])).toEqual(['n9', 'n10'])
})

test.each<[string, Report]>([
  ['reserved', ok('x', 0, 8, { reserved: { owner: 'o', secondsLeft: 9, cpu: 1 }, arrivals: [] })],
  ['overloaded', ok('x', 0, 1)],
  ['Linux only', ok('x', 0, 8, undefined, 'macOS')],
])('one that is %s is left out, and why is said', (why, report) => {
  const { places, leftOut } = choosePlaces([report, ok('y', 0, 8)], 1)
  expect(places.map(({ host }) => host.name)).toEqual(['y'])
  expect(leftOut).toEqual([{ name: 'x', why: expect.stringContaining(why) }])
})

test('one that is closed, not MINUS, not measured, or this one is no receiver', () => {
  const lost: Report = { node: ok('l', 0, 1).node, outcome: 'timeout', reason: '' }
  const closed = ok('c', 0, 8, { closed: 'x', arrivals: [] })
  expect(
    names([closed, ok('p', 8, 8), ok('e', 4, 8), lost, ok('s', 0, 8, undefined, 'linux', true)]),
  ).toEqual([])
})

test('room is up to a ratio of 0.8, and reaching it is allowed', () => {
  expect(choosePlaces([ok('a', 0.6, 4)], 2.6).places).toMatchObject([{ room: expect.closeTo(2.6) }])
  expect(names([ok('a', 0.6, 4)], 2.7)).toEqual([])
})
