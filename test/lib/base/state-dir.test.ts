import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { stateDir } from '../../../lib/base/state-dir.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  vi.stubEnv('HOME', folder)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

test.each([
  ['unset', undefined],
  ['empty', ''],
  ['relative', 'state'],
])('with XDG_STATE_HOME %s it is in the home folder', async (_, xdg) => {
  vi.stubEnv('XDG_STATE_HOME', xdg)
  expect(await stateDir()).toBe(join(folder, '.local/state/resource-sharing'))
})

test.runIf(process.platform === 'linux')('where no folder can be made, that is told at once', async () => {
  for (const home of ['/proc', '/proc/nowhere/at/all', '/dev/null']) {
    vi.stubEnv('HOME', home)
    await expect(stateDir()).rejects.toThrow(/^the state folder "\/.*" can't be made: E/)
  }
})

test('it is where XDG_STATE_HOME says, for this user alone', async () => {
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'x'))
  expect(await stateDir()).toBe(join(folder, 'x/resource-sharing'))
  expect(await stateDir()).toBe(join(folder, 'x/resource-sharing'))
  expect((await stat(join(folder, 'x/resource-sharing'))).mode & 0o777).toBe(0o700)
})
