import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BadAnswer, parseAnswer } from '../../../lib/machine/answer.ts'

const NONCE = '0123456789abcdef0123456789abcdef'
const framed = (...lines: string[]) => [`${NONCE} begin`, ...lines, `${NONCE} end`, ''].join('\n')
const LINUX = [
  'os Linux',
  'cpus 4',
  'load 0.52 0.58 0.59 1/467 12345',
  'uptime 350735.47 234388.90',
  'pressure some avg10=1.25 avg60=0.50 avg300=0.00 total=123',
]

test('Linux tells its load, CPUs, uptime and pressure', () => {
  expect(parseAnswer(framed(...LINUX), NONCE)).toEqual({
    measurement: {
      os: 'linux',
      load1: 0.52,
      load5: 0.58,
      load15: 0.59,
      cpus: 4,
      uptimeSeconds: 350_735.47,
      pressure: { some10: 1.25, some60: 0.5 },
    },
  })
})

test.each([
  [['online 0-3', 'cpus 1'], { cpus: 4, usableCpus: 1 }],
  [['online 0-3,8,10-11', 'cpus 7'], { cpus: 7 }],
  [['online 0-1', 'cpus '], { cpus: 2 }],
  [['online 0-1', 'cpus 48'], { cpus: 2 }],
  [['processors 4', 'cpus '], { cpus: 4 }],
  [['online nonsense', 'processors 3', 'cpus 4'], { cpus: 3 }],
  [['online 3-0', 'cpus 4'], { cpus: 4 }],
  [['online 0-3', 'cpus 4', 'quota 1500'], { cpus: 4, quotaCpus: 1.5 }],
  [['online 0-3', 'cpus 2', 'quota 4000'], { cpus: 4, usableCpus: 2 }],
  [['online 0', 'cpus 1', 'quota 0'], { cpus: 1 }],
])('of the CPUs %j: %j', (lines, expected) => {
  const { measurement } = parseAnswer(
    framed(...LINUX.map((line) => (line === 'cpus 4' ? lines.join('\n') : line))),
    NONCE,
  )
  const { cpus, usableCpus, quotaCpus } = measurement
  expect(JSON.parse(JSON.stringify({ cpus, usableCpus, quotaCpus }))).toEqual(expected)
})

test('a kernel without pressure stall information is measured all the same', () => {
  expect(parseAnswer(framed(...LINUX.slice(0, 4)), NONCE).measurement).not.toHaveProperty('pressure')
})

test.each([
  ['Darwin', 'macOS', '{ 1.23 1.11 0.99 }'],
  ['FreeBSD', 'freebsd', '{ 1.23 1.11 0.99 }'],
  ['OpenBSD', 'openbsd', '1.23 1.11 0.99'],
])('%s is measured by its sysctl', (uname, os, load) => {
  const boot = 'boottime { sec = 1700000000, usec = 5 } Tue Nov 14 22:13:20 2023'
  const answer = framed(`os ${uname}`, 'cpus 8', `load ${load}`, boot, 'now 1700000600')
  expect(parseAnswer(answer, NONCE).measurement).toEqual({
    os,
    load1: 1.23,
    load5: 1.11,
    load15: 0.99,
    cpus: 8,
    uptimeSeconds: 600,
  })
})

test('what a login shell prints before and after is not read, even where it looks like an answer', () => {
  const chatty = `Welcome\nload 0.00 0.00 0.00\ncpus 1\nother begin\nno newline at the end\n`
  expect(parseAnswer(`${chatty}\n${framed(...LINUX)}bye\nload 9 9 9\n`, NONCE).measurement.load1).toBe(0.52)
})

test.each([
  ['nothing', '', /no answer/],
  [
    'another language',
    'Last login: today\nsh: not found\n',
    /no answer to the probe, instead: sh: not found/,
  ],
  ['half of it', framed(...LINUX).slice(0, -20), /cut short/],
  ['a decimal comma', framed('os Linux', 'cpus 4', 'load 0,52 0,58 0,59 1/4 5'), /load average/],
  ['no CPUs', framed('os Linux', 'load 0.52 0.58 0.59 1/4 5'), /cpus: nothing/],
  ['zero CPUs', framed('os Linux', 'cpus 0', 'load 0.52 0.58 0.59 1/4 5'), /cpus: 0/],
  ['a negative load', framed('os Linux', 'cpus 1', 'load -1.00 0.58 0.59 1/4 5'), /load average/],
  ['an empty load', framed('os Linux', 'cpus 1', 'load '), /load average: nothing/],
  ['two loads', framed(...LINUX, 'load 0.00 0.00 0.00 1/4 5'), /says load twice/],
  ['escape codes for a system', framed('os \u001B[31m', ...LINUX.slice(1)), /operating system/],
])('%s is a bad answer', (_, output, reason) => {
  expect(() => parseAnswer(output, NONCE)).toThrow(BadAnswer)
  expect(() => parseAnswer(output, NONCE)).toThrow(reason)
})

/** Parses, and takes a BadAnswer for an outcome; anything else that is thrown fails the test. */
function outcome(output: string) {
  try {
    return parseAnswer(output, NONCE)
  } catch (error) {
    if (error instanceof BadAnswer) return undefined
    throw error
  }
}

test('any bytes are a bad answer and nothing worse', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(outcome(text)).toBeUndefined()
    }),
  )
})

test('any lines between the nonces are a measurement with numbers in it, or a bad answer', () => {
  const word = fc.oneof(
    fc.string(),
    fc.double().map(String),
    fc.nat().map(String),
    fc.constantFrom('{', '}', '/'),
  )
  const key = fc.constantFrom(
    'os',
    'cpus',
    'load',
    'uptime',
    'pressure',
    'boottime',
    'now',
    `${NONCE} sample`,
    'x',
  )
  const line = fc
    .tuple(key, fc.array(word, { maxLength: 4 }))
    .map(([first, rest]) => [first, ...rest].join(' '))
  const mutated = fc.array(fc.oneof(line, fc.constantFrom(...LINUX)), { maxLength: 9 })
  fc.assert(
    fc.property(mutated, (lines) => {
      const measurement = outcome(framed(...lines))?.measurement
      if (measurement === undefined) return
      expect(measurement.cpus).toBeGreaterThanOrEqual(1)
      for (const load of [measurement.load1, measurement.load5, measurement.load15]) {
        expect(load).toBeGreaterThanOrEqual(0)
        expect(load).toBeLessThan(1e9)
      }
    }),
    { numRuns: 2000 },
  )
})
