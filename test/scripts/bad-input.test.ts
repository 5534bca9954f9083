import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runScript } from '../run-script.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  await writeFile(join(folder, 'hosts'), 'n1\n-oX\n')
  await writeFile(join(folder, 'empty'), '# nobody\n')
})
afterAll(() => rm(folder, { recursive: true }))

test.concurrent.each([
  ['mesh-balance', ['--no-such-flag'], /unknown option --no-such-flag/],
  ['mesh-balance', ['-x'], /unknown option -x/],
  ['mesh-balance', ['operand'], /unexpected argument operand/],
  ['mesh-balance', ['--timeout', 'abc'], /--timeout takes .* not "abc"/],
  ['mesh-balance', ['--timeout', '0'], /--timeout takes .* not "0"/],
  ['mesh-balance', ['--timeout', '1e3'], /--timeout takes .* not "1e3"/],
  ['mesh-balance', ['--timeout'], /--timeout needs a value/],
  ['mesh-balance', ['--timeout=-1'], /--timeout takes .* not "-1"/],
  ['mesh-balance', ['--fanout', '0'], /--fanout takes .* not "0"/],
  ['mesh-balance', ['--fanout', '2.5'], /--fanout takes a whole number .* not "2.5"/],
  ['mesh-balance', ['--hosts', ''], /--hosts names no host/],
  ['mesh-balance', ['--hosts', '-oX'], /--hosts needs a value/],
  ['mesh-balance', ['--hosts=-oProxyCommand=x'], /--hosts: "-oProxyCommand=x" is not a host/],
  ['mesh-balance', ['--hosts', 'n1,n2:x'], /--hosts: "n2:x" has no port/],
  ['mesh-balance', ['--hosts-file', 'FOLDER/missing'], /--hosts-file ".*missing" does not exist/],
  ['mesh-balance', ['--hosts-file', 'FOLDER'], /--hosts-file ".*" can't be read/],
  ['mesh-balance', ['--hosts-file', 'FOLDER/hosts'], /hosts" line 2: "-oX" is not a host/],
  ['mesh-balance', ['--hosts-file', 'FOLDER/empty'], /empty" names no host/],
  ['mesh-balance', ['--json=yes'], /--json takes no value/],
  ['find-minus', ['-n', '0'], /-n takes .* not "0"/],
  ['find-minus', ['-n', 'three'], /-n takes .* not "three"/],
  ['node-trit', ['--window', 'long'], /--window takes .* not "long"/],
  ['node-trit', ['--window', '1'], /--window takes .* not "1"/],
  ['node-trit', ['--bare', '--json'], /--bare and --json/],
  ['node-trit', ['--bare', '--log', 'FOLDER/log'], /--bare and --log/],
  ['node-trit', ['--log', ''], /--log needs a value/],
  ['node-trit', ['--textfile', 'FOLDER/metrics.txt'], /--textfile takes .* not ".*metrics.txt"/],
  ['node-trit', ['--textfile', 'FOLDER/.prom'], /--textfile takes .* not ".*"/],
  ['node-trit', ['--for', '2'], /--for needs --alert/],
  ['node-trit', ['--alert', 'x', '--for', '0'], /--for takes .* not "0"/],
  ['rebalance', ['--max-age', 'x'], /--max-age takes .* not "x"/],
  ['rebalance', ['--window', '1'], /--window takes .* not "1"/],
  ['rebalance', ['operand'], /unexpected argument operand/],
  ['cron-install', ['--every', '60'], /--every takes .* not "60"/],
  ['cron-install', ['--every', '0'], /--every takes .* not "0"/],
  ['cron-install', ['--every', '2.5'], /--every takes a whole number .* not "2.5"/],
  ['cron-install', ['--textfile', 'x.txt'], /--textfile takes .* not "x.txt"/],
  ['cron-install', ['--alert', 'a\nb'], /no place for the line break in "--alert=a b"/],
  ['cron-remove', ['operand'], /unexpected argument operand/],
  ['cron-show', ['--every', '5'], /unknown option --every/],
])('%s %j is a usage error of one line', async (script, args, message) => {
  const ran = await runScript(
    script,
    args.map((arg) => arg.replace('FOLDER', folder)),
  )
  expect(ran.stderr).toMatch(message)
  expect(ran.stderr.split('\n')).toHaveLength(1)
  expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
})

test('hosts in the environment are checked by the same rule', async () => {
  const ran = await runScript('mesh-balance', [], { RESOURCE_SHARING_HOSTS: 'n1,-oX' })
  expect(ran.stderr).toMatch(/^RESOURCE_SHARING_HOSTS: "-oX" is not a host/)
  expect(ran.exitCode).toBe(2)
})

test('the stack is shown to who asks for it, and to nobody else', async () => {
  const ran = await runScript('mesh-balance', ['--fanout', 'x'], { DEBUG: 'resource-sharing' })
  expect(ran.stderr).toMatch(/\n {4}at /)
})

test.each(['mesh-balance', 'find-minus', 'node-trit', 'cron-install', 'cron-remove', 'cron-show'])(
  '%s --help says what it does and how it ends',
  async (script) => {
    const ran = await runScript(script, ['--help'])
    expect(ran.exitCode).toBe(0)
    expect(ran.stdout).toMatch(new RegExp(`^${script}: `))
    expect(ran.stdout).toContain('Usage: just')
    expect(ran.stdout).toContain('Exit codes:')
  },
)
