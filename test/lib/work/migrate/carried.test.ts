import { expect, test } from 'vitest'
import { criuWords } from '../../../../lib/work/migrate/preflight/criu-options.ts'
import { changes, criuOptions, sizes } from '../../../../lib/work/migrate/preflight.ts'
import { file, LOG, source, task } from './snapshots.ts'

test('a plain program needs nothing of criu that it does not always do', () => {
  expect(criuOptions(source(), {})).toEqual({})
  expect(criuWords({})).toEqual({ dump: '', restore: '--restore-detached' })
})

test('a lock goes along, and it is said where it holds', () => {
  const locked = file(LOG, { locks: ['1: FLOCK ADVISORY WRITE 500'] })
  const facts = source({ tree: [task({ open: [locked] })] })
  expect(criuOptions(facts, {})).toEqual({ criu: { fileLocks: true } })
  expect(changes(facts)).toContain(
    `PID 500 (python3) holds its lock on ${LOG} there, and no longer here against others`,
  )
})

test('criu is told the same at both ends, but for what only the dump decides', () => {
  expect(criuWords({ fileLocks: true, tcpClose: true, ghostLimitBytes: 5 })).toEqual({
    dump: '--file-locks --tcp-close --skip-in-flight --ghost-limit 5',
    restore: '--file-locks --tcp-close --restore-detached',
  })
})

test.each([
  ['a small one', [2 ** 19], undefined],
  ['one that may grow to more than criu takes by itself', [2 ** 20], 2 ** 21],
  ['the largest of some', [5, 2 ** 29, 2 ** 22], 2 ** 30],
])('files without a name go along up to twice their size, and count as images: %s', (_, bytes, limit) => {
  const open = bytes.map((sizeBytes, index) =>
    file(`/tmp/${index} (deleted)`, { deleted: true, links: 0, sizeBytes, fd: index }),
  )
  // Mapped besides: it is in the images once.
  const [first] = open
  const mapped = first ? [{ ...first, range: '1-2' }] : []
  const facts = source({ tree: [task({ open, mapped })] })
  expect(criuOptions(facts, {}).criu?.ghostLimitBytes).toBe(limit)
  const without = sizes(source({ tree: [task({ open: [], mapped: [] })] })).imageBytes
  expect(sizes(facts).imageBytes - without).toBe(bytes.reduce((sum, each) => sum + each, 0))
})

test.each([
  ['a session', { session: 400 }],
  ['a session and a group', { session: 400, group: 401 }],
])('who is in %s of somebody who has ended gets another one, and criu leaves it before it ends', (_, of) => {
  const facts = source({ tree: [task(of)] })
  const { criu } = criuOptions(facts, {})
  expect(criu).toEqual({ lostSession: true })
  expect(criuWords(criu ?? {})).toEqual({
    dump: '--shell-job',
    restore: '--shell-job --exec-cmd -- setsid true',
  })
  expect(changes(facts)).toContain(
    'PID 500 (python3) is in a session of another number there, without a leader',
  )
})
