import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { certificate } from '../certificates.ts'
import { startNats, withoutNats, type RunningNats } from '../nats/server.ts'
import { runScript } from '../run-script.ts'

/** What machines tell a real nats-server that speaks TLS alone, and knows who asks by a certificate besides. */

const bare = { RESOURCE_SHARING_HOSTS: '' }

describe.skipIf(withoutNats)('a mesh whose machines tell NATS over TLS', { timeout: 60_000 }, () => {
  let server: RunningNats
  beforeAll(async () => {
    server = await startNats(['n1'], { tls: 'both' })
  }, 60_000)
  afterAll(async () => await server?.close())

  const run = async (script: string, config: string, args: string[] = [], source = server.source) =>
    await runScript(script, ['--source', source, '--source-config', config, '--timeout', '30', ...args], bare)
  /** The reader's credentials with other certificates. */
  const reader = async (name: string, tls: object) => {
    const file = join(server.folder, `${name}.yml`)
    await writeFile(file, JSON.stringify({ nkey_file: 'reader.nk', tls_config: tls }))
    return file
  }

  test('an agent tells its load, and who looks reads it, each by the certificate that the server knows', async () => {
    const told = await run('agent', server.credentials('n1'), ['--name', 'n1', '--once', '--json'])
    expect(told).toMatchObject({ exitCode: 0, stderr: '' })
    for (const source of [server.source, server.source.replace('tls:', 'nats:')]) {
      const ran = await run('mesh-balance', server.credentials('reader'), ['--json'], source)
      expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
      expect(JSON.parse(ran.stdout)).toMatchObject({ from: 'nats', nodes: [{ name: 'n1', outcome: 'ok' }] })
    }
  })

  test('nothing is said to a server whose certificate is not the right one, and why is one line', async () => {
    await certificate(server.folder, 'other')
    const client = { cert_file: 'client.crt', key_file: 'client.key' }
    const whole = { ...client, ca_file: 'server.crt' }
    const refused: [string, object, RegExp][] = [
      ['no-ca', client, /shows a certificate that is not trusted here \(self-signed certificate\).*ca_file/],
      ['other-ca', { ...client, ca_file: 'other.crt' }, /shows a certificate that is not trusted here/],
      [
        'other-name',
        { ...whole, server_name: 'n9.example' },
        /shows a certificate of another name.*server_name/,
      ],
      ['no-client', { ca_file: 'server.crt' }, /wants .*certificate of this side.*cert_file and key_file/],
      [
        'other-client',
        { ca_file: 'server.crt', cert_file: 'other.crt', key_file: 'other.key' },
        /wants .*certificate of this side/,
      ],
    ]
    for (const [name, tls, why] of refused) {
      const config = await reader(name, tls)
      for (const script of ['mesh-balance', 'find-minus']) {
        const ran = await run(script, config)
        expect([name, script, ran]).toEqual([
          name,
          script,
          expect.objectContaining({ exitCode: 1, stdout: '', stderr: expect.stringMatching(why) }),
        ])
        expect(ran.stderr).toMatch(/^NATS at 127\.0\.0\.1:\d+ [^\n]*$/)
      }
    }
    const agent = await run('agent', await reader('agent', client), ['--name', 'n1', '--once'])
    expect(agent).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is not trusted here') })
  })

  test('the right certificate lets nobody in whose credentials are not known', async () => {
    const known = JSON.parse(await readFile(server.credentials('reader'), 'utf8'))
    const file = join(server.folder, 'nobody.yml')
    await writeFile(file, JSON.stringify({ user: 'me', password: 'x', tls_config: known.tls_config }))
    const ran = await run('mesh-balance', file)
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' })
    expect(ran.stderr).toMatch(/does not take these credentials/)
  })

  test('where certificates that are named are none, that is a usage error', async () => {
    await writeFile(join(server.folder, 'garbage.crt'), 'no certificate\n')
    const ran = await run('mesh-balance', await reader('missing', { ca_file: 'nowhere.crt' }))
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toMatch(/^--source-config .* names "nowhere\.crt", which can't be read/)
    const garbled = await run(
      'mesh-balance',
      await reader('garbled', { ca_file: 'server.crt', cert_file: 'garbage.crt', key_file: 'client.key' }),
    )
    expect(garbled).toMatchObject({ exitCode: 1, stdout: '' })
    expect(garbled.stderr).toMatch(/^NATS at [^\n]*$/)
  })
})

test.skipIf(withoutNats)('a server that shows a certificate, and asks for none, is asked', async () => {
  const server = await startNats(['n1'], { tls: 'server' })
  try {
    const config = ['--source', server.source, '--source-config', server.credentials('reader')]
    const ran = await runScript('find-minus', [...config, '--timeout', '30'], bare)
    expect(ran).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('has no machine in the bucket'),
    })
  } finally {
    await server.close()
  }
})
