import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { quickKeyExchanges, sshClient } from '../../../lib/mesh/ssh-client.ts'

const OLD = 'sntrup761x25519-sha512,curve25519-sha256,ecdh-sha2-nistp256'
const NEW = `mlkem768x25519-sha256,${OLD}`

afterEach(() => vi.unstubAllEnvs())

/** A client that prints a list of key exchanges, and a line a time that it is asked; or one that knows no such question. */
async function stubClient(list: string | undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'ssh-client-'))
  const answer = list === undefined ? 'exit 255' : `echo 'kexalgorithms ${list}'`
  const update = async (then: string) => {
    await writeFile(join(folder, 'ssh'), `#!/bin/sh\necho asked >>${folder}/asked\n${then}\n`)
    await chmod(join(folder, 'ssh'), 0o755)
  }
  await update(answer)
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
  return {
    folder,
    update,
    timesAsked: async () => (await readFile(join(folder, 'asked'), 'utf8')).length / 'asked\n'.length,
  }
}

test('a client is asked once, by whichever run, until it is another one', async () => {
  const { folder, update, timesAsked } = await stubClient(OLD)
  const first = await sshClient(folder)
  expect(first).toEqual({ knowsSession: true, keyExchanges: OLD.split(',') })
  expect(await sshClient(folder)).toEqual(first)
  expect(await timesAsked()).toBe(1)
  await update(`echo 'kexalgorithms ${NEW}'`)
  expect(await sshClient(folder)).toEqual({ knowsSession: true, keyExchanges: NEW.split(',') })
  expect(await timesAsked()).toBe(2)
})

test.each(['', '{', 'null', '{"of":"x"}', '{"of":"x","client":{}}'])(
  'where what is remembered is %j, and where nothing can be, it is asked again',
  async (text) => {
    const { folder, timesAsked } = await stubClient(OLD)
    await writeFile(join(folder, 'ssh-client.json'), text)
    for (const where of [folder, undefined, join(folder, 'none')])
      expect((await sshClient(where)).keyExchanges).toEqual(OLD.split(','))
    expect(await timesAsked()).toBe(3)
  },
)

test('a client that does not know the question can be told nothing', async () => {
  const { folder } = await stubClient(undefined)
  expect(await sshClient(folder)).toEqual({ knowsSession: false, keyExchanges: [] })
})

test.each<[string, string, { own?: string; ofSystem?: string }, string[] | undefined]>([
  ['an old client', OLD, {}, ['curve25519-sha256']],
  ['a new client', NEW, {}, ['mlkem768x25519-sha256', 'curve25519-sha256']],
  ['a client without either', 'ecdh-sha2-nistp256', {}, undefined],
  ['a client that does not say', '', {}, undefined],
  ['a person who says which', NEW, { own: 'Host n2\n  kexAlgorithms +x' }, undefined],
  ['a system that says which', NEW, { ofSystem: 'KexAlgorithms=x' }, undefined],
  ['a file that only ssh finds', NEW, { own: 'Include %d/more' }, undefined],
  [
    'other settings',
    NEW,
    { own: 'Host *\n  Ciphers x', ofSystem: '# KexAlgorithms x' },
    NEW.split(',').filter((name) => /mlkem|^curve/.test(name)),
  ],
])('the key exchanges to prefer, for %s', (_, list, { own = '', ofSystem = '' }, wanted) => {
  const client = { knowsSession: true, keyExchanges: list.split(',') }
  expect(quickKeyExchanges(client, { own, ofSystem })).toEqual(wanted)
})
