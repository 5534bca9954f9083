import { expect, test } from 'vitest'
import { execa } from 'execa'
import { parseAnswer } from '../../../lib/machine/answer.ts'
import { familyOf } from '../../../lib/machine/process-tree.ts'
import { probe } from '../../../lib/machine/probe.ts'

/** A line of `/proc/PID/stat` with its path, up to the start of the process. */
function stat(
  pid: number,
  parent: number,
  { session = pid, terminal = 0, state = 'S', flags = 0 } = {},
): string {
  const fields = [
    state,
    parent,
    pid,
    session,
    terminal,
    -1,
    flags,
    ...Array.from({ length: 12 }, () => 0),
    pid * 10,
  ]
  return `/proc/${pid}/stat:${pid} (a (b) c) ${fields.join(' ')} 0 0 0`
}
const owner = (pid: number, uid: number) => `/proc/${pid}/status:Uid:\t${uid}\t${uid}\t${uid}\t${uid}`
const family = familyOf({
  stats: [
    stat(1, 0),
    stat(2, 0, { flags: 0x20_0000 }),
    stat(10, 1),
    stat(11, 10, { session: 10, terminal: 34_816 }),
    stat(12, 11, { session: 10, state: 'T' }),
    stat(13, 12),
  ].join('\n'),
  owners: [owner(1, 0), owner(10, 1000), owner(11, 1000), owner(12, 0)].join('\n'),
  probePid: 11,
  boot: 'boot',
  held: '{"one":1}\n\n{"two":2}\n',
})

test('of each process it tells its parent, session, terminal, user and start', () => {
  expect(family.kin.get(11)).toEqual({
    parent: 10,
    session: 10,
    terminal: 34_816,
    uid: 1000,
    kernel: false,
    stopped: false,
    start: '110',
  })
  expect(family.kin.get(12)).toMatchObject({ uid: 0, stopped: true })
  expect(family.kin.get(2)).toMatchObject({ kernel: true, uid: undefined })
})

test('one that has begun since users were asked for is its parent’s user’s', () => {
  expect(family.kin.get(13)?.uid).toBe(0)
})

test('who asks is the user of the probe, and it and all above it', () => {
  expect(family.asker).toEqual({ uid: 1000, line: new Set([11, 10, 1]) })
})

test('records are lines, not looked into yet', () => {
  expect(family.held).toEqual(['{"one":1}', '{"two":2}'])
})

test('two that are each other’s parents do not keep it busy for ever', () => {
  const stats = [stat(10, 11), stat(11, 10)].join('\n')
  expect(familyOf({ stats, owners: '', probePid: 10, boot: '', held: '' }).asker).toEqual({
    uid: -1,
    line: new Set([10, 11]),
  })
})

test.runIf(process.platform === 'linux')(
  'the probe of this machine finds this process and its line',
  async () => {
    const { nonce, script } = probe({ windowMs: 100, family: true })
    const { stdout } = await execa('sh', ['-s'], { input: script })
    const { family: here, processes } = parseAnswer(`${stdout}\n`, nonce)
    expect(here?.boot).toMatch(/^[0-9a-f-]{36}$/)
    expect(here?.asker.uid).toBe(process.getuid?.())
    expect([...(here?.asker.line ?? [])]).toContain(process.pid)
    expect(here?.kin.get(process.pid)?.parent).toBe(process.ppid)
    expect(processes?.map(({ pid }) => pid)).toContain(process.pid)
  },
)
