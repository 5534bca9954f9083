import { execa } from 'execa'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemdUnits } from '../../../lib/monitor/systemd.ts'

const analyze = await execa('systemd-analyze', ['--version'], { reject: false })

test('the words of the command keep their signs through systemd’s own quoting', () => {
  const [service, timer] = systemdUnits(7, [
    '/n$o de',
    '--log=/a b',
    '100%',
    '$HOME',
    'say "\\"',
    "it's",
    'x',
  ])
  expect(service?.text).toContain(
    String.raw`ExecStart="/n$o de" "--log=/a b" 100%% $$HOME "say \"\\\"" "it's" x`,
  )
  expect(timer?.text).toContain('OnCalendar=*:0/7\n')
})

test.skipIf(analyze.failed)('systemd accepts both units', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  try {
    const accepted = systemdUnits(5, [process.execPath, '--alert=date +%F "$x" \\', '', ';'])
    const files = accepted.map(({ name, text }) => ({ path: join(folder, name), text }))
    for (const { path, text } of files) await writeFile(path, text)
    const paths = files.map(({ path }) => path)
    const verify = (...units: string[]) =>
      execa('systemd-analyze', ['verify', '--user', '--man=no', ...units], {
        env: { XDG_RUNTIME_DIR: folder },
        all: true,
        reject: false,
      })
    const ran = await verify(...paths)
    expect(ran.all).not.toContain(folder)
    const broken = join(folder, 'broken.service')
    await writeFile(broken, '[Service]\nType=oneshot\nExecStart="/bin/true\n')
    const refused = await verify(broken)
    expect(refused.all).toContain('broken.service')
  } finally {
    await rm(folder, { recursive: true })
  }
})
