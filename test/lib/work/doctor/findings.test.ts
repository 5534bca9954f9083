import { expect, test } from 'vitest'
import { parseCheckup, type Checkup } from '../../../../lib/work/doctor/checkup.ts'
import { findingsOf } from '../../../../lib/work/doctor/findings.ts'
import { BadFacts } from '../../../../lib/work/migrate/facts/records.ts'

const FINE: Checkup = {
  os: 'Linux',
  arch: 'x86_64',
  kernel: '6.12',
  user: 'ada',
  root: true,
  missing: [],
  gnu: true,
  children: true,
  mappings: true,
  diskBytes: 2 ** 34,
  writable: true,
  memoryBytes: 2 ** 33,
  criu: { version: '4.2.1', ok: true, line: 'Looks good.' },
  tailscale: true,
}
const found = (changes: Partial<Checkup>) => findingsOf({ reached: true, checkup: { ...FINE, ...changes } })
const wrong = (changes: Partial<Checkup>) => found(changes).filter(({ state }) => state !== 'fine')

test('a machine that has everything is fine in every row', () => {
  expect(wrong({})).toEqual([])
})

test.each<[string, Partial<Checkup>, RegExp]>([
  ['system', { os: 'Darwin' }, /between Linux machines only/],
  ['root', { root: false }, /NOPASSWD/],
  ['programs', { missing: ['ss', 'sha256sum', 'flock'] }, /apt install iproute2 coreutils util-linux`/],
  ['programs', { gnu: false }, /findutils coreutils/],
  ['criu check', { criu: { version: '4.3', ok: false, line: 'no' } }, /newer criu/],
  ['kernel', { children: false }, /distribution/],
  ['kernel', { mappings: false }, /distribution/],
  ['/var/lib', { diskBytes: 2 ** 29 }, /make room/],
  ['/var/lib', { writable: false }, /not read-only/],
  ['memory', { memoryBytes: 2 ** 27 }, /end something/],
])('%s: what is missing is told with what to do', (check, changes, todo) => {
  expect(wrong(changes)).toMatchObject([{ check, state: 'missing', todo: expect.stringMatching(todo) }])
})

test('no criu is one row, no tailscale is optional, and a machine that is not reached says why', () => {
  const { criu: _criu, ...without } = FINE
  const rows = findingsOf({ reached: true, checkup: without }).filter(({ state }) => state === 'missing')
  expect(rows).toMatchObject([{ check: 'criu', todo: expect.stringContaining('apt install criu') }])
  expect(wrong({ tailscale: false })).toMatchObject([{ check: 'tailscale', state: 'optional' }])
  expect(wrong({ criu: { version: '4.1.1', ok: true, line: 'Looks good.' } })).toMatchObject([
    {
      check: 'criu',
      state: 'optional',
      todo: expect.stringMatching(/^4\.2 or newer does: .*-t testing criu/),
    },
  ])
  expect(findingsOf({ reached: false, reason: 'asleep' })).toMatchObject([
    { check: 'reached', says: 'asleep' },
  ])
})

test('a machine without Linux tells less, and an answer that is none is told apart', () => {
  const sections = ['os', 'Darwin', '', 'arch', 'arm64', '', 'kernel', '24.1', '', 'user', 'ada', '501', '']
  const rest = ['missing', 'setsid', '', 'disk', '', 'memory', '']
  const answer = [...sections, ...rest].map((record) => `${record}\0`).join('')
  expect(parseCheckup(answer)).toMatchObject({
    os: 'Darwin',
    root: false,
    missing: ['setsid'],
    tailscale: false,
  })
  expect(() => parseCheckup(answer.slice(0, -9))).toThrow(BadFacts)
})
