import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Journal } from '../../../../lib/work/migrate/journal.ts'
import { recover } from '../../../../lib/work/migrate/recover.ts'
import { PLAN } from './a-plan.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-recover-'))
  vi.stubEnv('XDG_STATE_HOME', folder)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

test('a migration that another program has ended since it was looked at is told as it ended', async () => {
  const journal = await Journal.create(PLAN)
  const again = await Journal.open(join(folder, 'resource-sharing/migrations', PLAN.id))
  if (!(again instanceof Journal)) throw new Error('it can not be opened')
  await journal.write({ event: 'over', outcome: 'moved', detail: 'as planned', sweep: [] })
  await journal.close()
  const reach = { files: () => Promise.reject(new Error('nobody is to be asked')) }
  for (const waitMs of [0, 1000])
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is not to be used
    expect(await recover(again, reach as never, { waitMs, signal: new AbortController().signal })).toEqual({
      kind: 'moved',
      detail: 'as planned',
    })
})
