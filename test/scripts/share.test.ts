import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../free-port.ts'
import { runScript } from '../run-script.ts'

async function home(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'share-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return { HOME: folder, XDG_STATE_HOME: join(folder, 'state') }
}

test.each([
  ['share-to-idle', ['x', '--via', 'pigeon'], '--via takes localsend, taildrop, ssh or auto, not "pigeon"'],
  ['share-to-idle', ['x', '--port', '0'], '--port takes a number from 1 to 65535, not "0"'],
  ['share-to-idle', ['x', '--dest', 'a\nb'], '--dest takes a folder, not "a b"'],
  ['share-to-idle', [], 'which file? Give a PATH (--help lists what there is)'],
  ['receive', ['--allow', '192.168.0.0/99'], '--allow takes an address or a network'],
  [
    'receive',
    ['--allow', '192.168.0.0/16'],
    '--allow "192.168.0.0/16" is beyond this tailnet: say --pin too',
  ],
  ['receive', ['--listen', 'localhost'], '--listen takes an address of this machine, not "localhost"'],
  ['receive', ['--pin='], '--pin takes 1 to 64 characters'],
  ['peers', ['--port', 'x'], '--port takes a whole number'],
])('%s %j is a usage error that names the flag and the value', async (script, args, message) => {
  const ran = await runScript(script, args, await home())
  expect([ran.exitCode, ran.stdout]).toEqual([2, ''])
  expect(ran.stderr).toContain(message)
  expect(ran.stderr.split('\n')).toHaveLength(1)
})

test('receive --systemd prints a unit with absolute paths, and receives nothing', async () => {
  const env = await home()
  const { stdout, exitCode, stderr } = await runScript(
    'receive',
    ['--systemd', '--dir', '~/a b', '--once'],
    env,
  )
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(
    /^ExecStart=\/\S+ --max-semi-space-size=1 \/\S+\/cli\/start\.mjs scripts\/receive\.ts "--dir=\/.*\/a b" --port=53317$/m,
  )
  expect(stderr).toMatch(
    /^put it there, then: systemctl --user enable --now resource-sharing-receive\.service$/,
  )
})

test('receive refuses a folder that is none, and a port that is taken, in a line', async () => {
  const env = await home()
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what listens on a port has this
  const { port } = taken.address() as AddressInfo
  const at = ['--listen', '127.0.0.1', '--port', String(port)]
  const folder = await runScript('receive', ['--dir', '/dev/null/x', ...at], env)
  expect(folder).toMatchObject({ exitCode: 1, stdout: '' })
  expect(folder.stderr).toMatch(/^the folder "\/dev\/null\/x" can't be used[^\n]*$/)
  expect(await runScript('receive', at, env)).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: `can't listen on 127.0.0.1, port ${port}: something listens there already, LocalSend perhaps: stop it, or take another --port`,
  })
})

test('receive --once --timeout ends with 1 where nobody has sent', async () => {
  const env = await home()
  const args = ['--once', '--timeout', '1', '--quiet', '--listen', '127.0.0.1']
  const port = String(await freePort())
  expect(await runScript('receive', [...args, '--port', port], env)).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: '',
  })
})
