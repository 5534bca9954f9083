import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runScript } from '../run-script.ts'

// Whoever asks the mesh, criu or root leaves a file behind, and waits for good.
let folder = ''
let env: Record<string, string> = {}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  for (const name of ['tailscale', 'ssh', 'criu', 'sudo']) {
    const file = join(folder, name)
    await writeFile(file, `#!/bin/sh\n: >'${folder}/asked-${name}'\nexec sleep 60\n`)
    await chmod(file, 0o755)
  }
  env = { PATH: `${folder}:${process.env.PATH ?? ''}`, XDG_STATE_HOME: join(folder, 'state') }
})
afterAll(() => rm(folder, { recursive: true }))

const asked = async () => (await readdir(folder)).filter((name) => name.startsWith('asked-'))

test.each([
  [[], 2, /^which process\?/],
  [['0'], 2, /^"0" is not a PID: /],
  [['-1'], 2, /-1/],
  [['abc'], 2, /^"abc" is not a PID: /],
  [['1.5'], 2, /^"1.5" is not a PID: /],
  [['4194305'], 2, /^"4194305" is not a PID: /],
  [['n1:'], 2, /^"" is not a PID: /],
  [['n1:0'], 2, /^"0" is not a PID: /],
  [['1', '2'], 2, /^give one PID at a time$/],
  [['1', '--via', 'pigeon'], 2, /^--via takes ssh or taildrop, not "pigeon"$/],
  [['1', '--no-such-flag'], 2, /^unknown option --no-such-flag/],
  [['1', '--timeout', 'soon'], 2, /^--timeout takes /],
  [['1'], 5, /^PID 1 .* is the first process of the machine$/],
  [['4194304'], 5, /^there is no process with PID 4194304$/],
  [[String(process.pid)], 5, /is this program or what it was started from$/],
] as const)(
  'migrate-scum %j: exit %i in one line, before the mesh, criu or root are asked',
  async (args, code, line) => {
    const ran = await runScript('migrate-scum', [...args, '--yes'], env)
    expect(ran).toMatchObject({ exitCode: code, stdout: '', stderr: expect.stringMatching(line) })
    expect(ran.stderr.split('\n')).toHaveLength(1)
    expect(await asked()).toEqual([])
  },
)

test.each([
  ['migrations', ['nonsense'], 1, /^there is no migration "nonsense": just migrations lists them$/],
  ['migrations', ['a', 'b'], 2, /^give one ID at a time$/],
  ['migrations', ['-n', 'some'], 2, /^-n takes /],
  ['migrations', [], 0, /^nothing has been moved$/],
  ['migrate-recover', ['nonsense'], 1, /^no migration "nonsense" is open: just migrations lists them$/],
  ['migrate-recover', ['--wait', 'long'], 2, /^--wait takes /],
  ['migrate-recover', ['--forget'], 2, /^--forget needs the ID of a migration$/],
  ['migrate-recover', ['--all'], 0, /^nothing is in doubt$/],
  ['migrate-recover', ['--all', 'abc'], 2, /^give either --all or the ID of a migration$/],
] as const)('%s %j: exit %i in one line, and nobody is asked', async (script, args, code, line) => {
  const ran = await runScript(script, [...args], env)
  expect(ran).toMatchObject({ exitCode: code, stdout: '', stderr: expect.stringMatching(line) })
  expect(await asked()).toEqual([])
})
