import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { nkeys } from '../../../../lib/mesh/nats/library.ts'
import { natsSettings } from '../../../../lib/mesh/nats/settings.ts'

const seed = new TextDecoder().decode(nkeys.createUser().getSeed())
const creds = `-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------\n${seed}\n`

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nats-settings-'))
  await writeFile(join(folder, 'n1.nk'), `# n1\n${seed}\n`)
  await writeFile(join(folder, 'n1.creds'), creds)
  await writeFile(join(folder, 'secret'), 'from a file\n')
})

async function accessWith(text: string) {
  const configFile = join(folder, 'access')
  await writeFile(configFile, text)
  return (await natsSettings('nats=nats://h', configFile)).access
}

test.each([
  ['nats=nats://127.0.0.1:4222', { server: '127.0.0.1:4222', tls: false, bucket: 'mesh' }],
  ['nats=nats://n1.example', { server: 'n1.example:4222' }],
  ['nats=tls://[::1]:5/load_1', { server: '[::1]:5', tls: true, bucket: 'load_1' }],
])('%s is a server', async (source, settings) => {
  expect(await natsSettings(source)).toMatchObject({ ...settings, access: {} })
})

test.each([
  ['nats=', /write nats=URL/],
  ['nats=n1:4222', /write nats=URL/],
  ['nats=http://n1', /write nats=URL/],
  ['nats=nats://', /write nats=URL/],
  ['nats=nats://-x', /write nats=URL/],
  ['nats=nats://n1/?x=1', /more than a host/],
  ['nats=nats://n1/a/b', /"a\/b" is no name of a bucket/],
  ['nats=nats://n1/*', /is no name of a bucket/],
  ['nats=nats://me:secret@n1', /^--source: others .* in a file, for --source-config$/],
  ['nats=\u001B[31m', /^--source "[^\u001B]*": write/],
])('%j is no source, and what it should be is said', async (source, message) => {
  await expect(natsSettings(source)).rejects.toThrow(message)
})

test.each([
  [`# a comment\n${seed}`, { kind: 'nkey', seed }],
  ['nkey_file: n1.nk', { kind: 'nkey', seed: expect.stringContaining('SU') }],
  [creds, { kind: 'creds', text: creds }],
  ['{"creds_file": "n1.creds"}', { kind: 'creds', text: creds }],
  ['{"user": "me", "password": "s:x"}', { kind: 'password', user: 'me', password: 's:x' }],
  ['{ user: me, password_file: secret }', { kind: 'password', user: 'me', password: 'from a file' }],
])('%s are credentials', async (text, credentials) => {
  expect(await accessWith(text)).toEqual({ credentials })
})

test('certificates are read from the files that are named, as for Prometheus', async () => {
  expect(
    await accessWith('tls_config: { ca_file: secret, server_name: n1, insecure_skip_verify: true }'),
  ).toEqual({ tls: { ca: 'from a file\n', servername: 'n1', rejectUnauthorized: false } })
})

test.each([
  [seed.slice(1), /^--source-config "[^"]*" does not fit the form of a file for NATS/],
  ['users: []', /does not fit the form/],
  ['{ user: me, nkey_file: n1.nk }', /more than one of nkey_file, creds_file and user/],
  ['nkey_file: secret', /names an nkey_file that is none/],
  ['nkey_file: n1.creds', /names an nkey_file that is none/],
  ['creds_file: n1.nk', /names a creds_file that is none/],
  ['nkey_file: nowhere', /names "nowhere", which can't be read/],
  ['a: [', /is no YAML/],
])('%j is no such file, in one line that tells no secret', async (text, message) => {
  await expect(accessWith(text)).rejects.toThrow(message)
  await expect(accessWith(text)).rejects.not.toThrow(new RegExp(`\n|${seed.slice(4)}`))
})
