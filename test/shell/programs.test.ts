import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findingsIn, PROGRAMS, shellFiles } from './programs.ts'

const { failed } = await execa('shellcheck', ['--version'], { reject: false })
const withoutShellcheck = failed && process.env.CI !== 'true'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  await writeFile(join(folder, 'names.sh'), '# shellcheck shell=sh\ngreeting=hello\n')
})
afterAll(() => rm(folder, { recursive: true }))

test('every fragment that is sent elsewhere is looked at, and every program’s fragments are there', async () => {
  const files = await shellFiles()
  expect(files).toContain('.ci/run')
  expect(files).toContain('test/lab/in-host/mac/uname')
  const sent = files.filter((path) => path.startsWith('lib/'))
  expect(new Set(sent)).toEqual(new Set(PROGRAMS.flat()))
})

test.skipIf(withoutShellcheck)(
  'a fragment may use what an earlier one has set, and a name that nobody has set is found where it stands',
  async () => {
    await writeFile(join(folder, 'says.sh'), '# shellcheck shell=sh\necho "$greeting $CALLER"\n')
    expect(await findingsIn(['names.sh', 'says.sh'], folder)).toEqual([])
    await writeFile(join(folder, 'says.sh'), '# shellcheck shell=sh\necho "$greetings"\n')
    expect(await findingsIn(['names.sh', 'says.sh'], folder)).toContainEqual(
      expect.stringMatching(/says\.sh:2:\d+: warning: greetings is referenced but not assigned.*\[SC2154\]$/),
    )
  },
)

test.skipIf(withoutShellcheck)('a fragment that no shell could read is named', async () => {
  await writeFile(join(folder, 'says.sh'), '# shellcheck shell=sh\nif true; then\n')
  expect(await findingsIn(['names.sh', 'says.sh'], folder)).toContainEqual(
    expect.stringMatching(/^says\.sh: .*Parsing of sourced file failed/),
  )
})

test.skipIf(withoutShellcheck)('what only bash has is found in a fragment', async () => {
  await writeFile(
    join(folder, 'says.sh'),
    '# shellcheck shell=sh\n[[ $greeting = hello ]] && echo "$greeting"\n',
  )
  expect(await findingsIn(['names.sh', 'says.sh'], folder)).toEqual([
    expect.stringMatching(/says\.sh:2:.*\[SC3010\]$/),
  ])
})
