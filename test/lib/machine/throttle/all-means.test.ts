import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ALL_MEANS, MEANS_NAMES } from '../../../../lib/machine/throttle/all-means.ts'
import { parseRecord } from '../../../../lib/machine/throttle/record.ts'
import { throttleMeans } from '../../../../lib/machine/throttle/throttle.ts'

const RECORD = {
  id: '7-a',
  pid: 7,
  start: '70',
  boot: 'b',
  command: 'work',
  state: 'held',
  writer: { pid: 8, start: '80' },
  since: '2025-01-01T00:00:00.000Z',
  undo: {},
}

test('records of these names can be read, in this order of preference, and no others', () => {
  expect(MEANS_NAMES).toEqual(['cgroup2', 'systemd', 'cgroup1', 'cpulimit', 'renice', 'pause'])
  for (const means of MEANS_NAMES)
    expect(parseRecord(JSON.stringify({ ...RECORD, means }))?.means).toBe(means)
  expect(parseRecord(JSON.stringify({ ...RECORD, means: 'freezer' }))).toBeUndefined()
})

test('a throttle tries what this system has, and never stops a process unless asked', () => {
  const elsewhere = ['renice']
  const linux = ['cgroup2', 'systemd', 'cgroup1', 'cpulimit', 'renice']
  expect(throttleMeans('linux')).toEqual(linux)
  expect(throttleMeans('darwin')).toEqual(elsewhere)
  expect(throttleMeans('freebsd')).toEqual(elsewhere)
})

test('those that sh can release are those that hold-elsewhere.sh knows how to undo', () => {
  const path = join(import.meta.dirname, '../../../../lib/work/rebalance/hold-elsewhere.sh')
  const letGo = /^let_go\(\) \{\n([^]*?)^\}/m.exec(readFileSync(path, 'utf8'))?.[1] ?? ''
  const patterns = [...letGo.matchAll(/^ {2}([a-z0-9*]+)\)/gm)].map(([, pattern = '']) => pattern)
  expect(patterns.length).toBeGreaterThan(0)
  const known = MEANS_NAMES.filter((name) =>
    patterns.some((pattern) => new RegExp(`^${pattern.replace('*', '.*')}$`).test(name)),
  )
  expect(MEANS_NAMES.filter((name) => ALL_MEANS[name].releasedBySh)).toEqual(known)
})
