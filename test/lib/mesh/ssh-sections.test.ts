import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mayApply, withIncluded } from '../../../lib/mesh/ssh-sections.ts'

const NAMES = ['n2', ['n2.ts.test', '100.64.0.2']] as const

test.each([
  ['none', '', '', false],
  ['for any machine', 'Host *\n  User x', 'Host *', false],
  ['for another machine', 'Host n3 *.example\n  User x', '', false],
  ['for the first name', 'Host n2\n  User x', '', false],
  ['for the first name and another', 'Host n2 n2.ts.test', '', false],
  ['for the DNS name', 'Host "n2.ts.test"', '', true],
  ['for its domain', 'Host=*.TS.test', '', true],
  ['for addresses', '  host 100.*', '', true],
  ['for an address, one character open', 'Host 100.64.0.?', '', true],
  ['a dot is no pattern', 'Host 100.64.042', '', false],
  ['for all but one name', 'Host * !n2', '', true],
  ['of the system, for its domain', '', 'Host *.ts.test', true],
  ['on a condition', 'Match exec "true"', '', true],
  ['on a condition of the system', '', 'Match user x', true],
  ['for all, at last', 'Match all', 'Match final all', false],
  ['in another file', 'Include work', '', true],
  ['in another file of the system', '', 'Include /etc/ssh/%l', true],
])('a section: %s', (_, own, systems, expected) => {
  expect(mayApply(own, systems, ...NAMES)).toBe(expected)
})

test('files that are included are read as ssh finds them; a line that only ssh understands stays', async () => {
  const home = await mkdtemp(join(tmpdir(), 'rs-test-'))
  const folder = join(home, '.ssh')
  await mkdir(join(folder, 'parts'), { recursive: true })
  const files = {
    config: 'Include "parts/*.conf" ~/.ssh/more\n include=/no/such/file\nInclude parts/%l\nHost n1\n',
    more: 'Host more\nInclude config\n',
    'parts/a.conf': 'Host a\n',
    'parts/b.conf': 'Host b\n',
    'parts/c': 'Host c\n',
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  const read = await withIncluded(join(folder, 'config'), folder, home)
  const lines = read.split('\n').filter((line) => line !== '')
  expect(lines.toSorted()).toEqual(['Host a', 'Host b', 'Host more', 'Host n1', 'Include parts/%l'])
  await rm(home, { recursive: true })
})
