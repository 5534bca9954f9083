import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { prometheusSettings } from '../../../../lib/mesh/prometheus/settings.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'))
  await writeFile(join(folder, 'secret'), 'from a file\n')
})

async function withConfig(text: string) {
  const configFile = join(folder, 'http.yml')
  await writeFile(configFile, text)
  return await prometheusSettings('prometheus=https://h:1/a', { configFile })
}

test('a server is known by its address, and its machines by the label instance unless another is named', async () => {
  const settings = await prometheusSettings('prometheus=http://127.0.0.1:9090/prom/')
  expect(settings).toMatchObject({ nodeLabel: 'instance', headers: {}, tls: {} })
  expect(settings.url.href).toBe('http://127.0.0.1:9090/prom/')
  expect(await prometheusSettings('prometheus=http://h', { nodeLabel: 'nodename' })).toMatchObject({
    nodeLabel: 'nodename',
  })
})

test.each([
  ['nats=x', /write prometheus=URL/],
  ['prometheus=', /write prometheus=URL/],
  ['prometheus=n1:9090', /no address of http/],
  ['prometheus=ftp://n1', /no address of http/],
  ['prometheus=http://', /no address of http/],
  ['prometheus=http://n1/?x=1', /no address of http/],
  ['prometheus=http://me:secret@n1', /^--source: others .* in a file, for --source-config$/],
  ['prometheus=\u001B[31m', /^--source "[^\u001B]*" has no/],
])('%j is no source, and what it should be is said', async (source, message) => {
  await expect(prometheusSettings(source)).rejects.toThrow(message)
})

test.each(['', '9x', 'a-b', 'a) or vector(1'])('%j is no label', async (nodeLabel) => {
  await expect(prometheusSettings('prometheus=http://h', { nodeLabel })).rejects.toThrow(
    /is no name of a label/,
  )
})

test.each([
  ['basic_auth: { username: me, password: "s:x" }', `Basic ${Buffer.from('me:s:x').toString('base64')}`],
  [
    'basic_auth: { username: me, password_file: secret }',
    `Basic ${Buffer.from('me:from a file').toString('base64')}`,
  ],
  ['authorization: { credentials: abc }', 'Bearer abc'],
  ['authorization: { type: Token, credentials_file: secret }', 'Token from a file'],
])('%s is a header', async (text, authorization) => {
  expect((await withConfig(text)).headers).toEqual({ authorization })
})

test('certificates are read from the files that are named, beside the configuration', async () => {
  expect(
    await withConfig('tls_config: { ca_file: secret, cert_file: secret, key_file: secret, server_name: n }'),
  ).toMatchObject({
    tls: { ca: 'from a file\n', cert: 'from a file\n', key: 'from a file\n', servername: 'n' },
  })
  expect(await withConfig('tls_config: { insecure_skip_verify: true }')).toMatchObject({
    tls: { rejectUnauthorized: false },
  })
  expect(await withConfig('')).toMatchObject({ headers: {}, tls: {} })
})

test.each([
  ['a: [', /is no YAML/],
  ['basic_auth: 1', /--http.config.file: basic_auth: /],
  ['proxy_url: x', /does not fit the form/],
  ['basic_auth: { username: a }\nauthorization: { credentials: b }', /leave one of them/],
  ['authorization: { credentials_file: none }', /names "none", which can't be read: ENOENT/],
  ['authorization: { credentials: "a\\nb" }', /that no header can carry/],
])('%j is refused in one line', async (text, message) => {
  const refused = withConfig(text)
  await expect(refused).rejects.toThrow(message)
  await expect(refused).rejects.toThrow(/^--source-config "[^\n]*$/)
})
