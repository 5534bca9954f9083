import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { sendFiles } from '../../../../lib/share/localsend/client/client.ts'
import { ownIdentity } from '../../../../lib/share/localsend/identity.ts'
import { hashed, type HashedFile } from '../../../../lib/share/localsend/client/offer.ts'
import { probe } from '../../../../lib/share/localsend/client/probe.ts'
import { trustIn } from '../../../../lib/share/localsend/trust.ts'
import {
  breakingProxy,
  filesBelow,
  listening,
  sha256Of,
  temporaryFolder,
  type Listening,
} from './loopback.ts'

const signal = new AbortController().signal
const SENDING = { signal, waitMs: 1000, silenceMs: 15_000, connectMs: 10_000, moved: () => {} }

async function peerOf({ port }: Listening, insecureHttp = false) {
  const identity = await ownIdentity(await temporaryFolder())
  const at = { name: 'there', address: '127.0.0.1', port }
  return { identity, peer: await probe(at, { identity, timeoutMs: 10_000, signal, insecureHttp }) }
}

async function fileOf(name: string, content: Buffer, modified = new Date()) {
  const path = join(await temporaryFolder(), 'content')
  await writeFile(path, content)
  return hashed({ path, name, size: content.length, modified }, signal)
}

test.each([0, 1, 65_536, 3_000_000])('a file of %i bytes arrives as it is', async (size) => {
  const receiver = await listening()
  const { identity, peer } = await peerOf(receiver)
  const modified = new Date('2020-02-03T04:05:06Z')
  const file = await fileOf('folder/a ü.bin', randomBytes(size), modified)
  let moved = 0
  const options = { ...SENDING, identity, moved: (bytes: number) => (moved += bytes) }
  expect(await sendFiles(peer, [file], options)).toEqual({ declined: [] })
  expect(await filesBelow(receiver.folder)).toEqual(['folder/a ü.bin'])
  const path = join(receiver.folder, 'folder/a ü.bin')
  expect(await sha256Of(path)).toBe(file.sha256)
  expect((await stat(path)).mtime).toEqual(modified)
  expect(moved).toBe(size)
  expect(receiver.events.map(({ event }) => event)).toEqual(['offered', 'stored', 'over'])
})

test('a folder of small files arrives as it is, two at a time, over connections that are kept', async () => {
  const receiver = await listening()
  const { identity, peer } = await peerOf(receiver)
  const names = Array.from({ length: 300 }, (_, at) => `tree/${at % 7}/${at}.txt`)
  const files: HashedFile[] = []
  for (const name of names) files.push(await fileOf(name, Buffer.from(name)))
  await sendFiles(peer, files, { ...SENDING, identity })
  expect(await filesBelow(receiver.folder)).toEqual(names.toSorted())
  for (const name of names)
    expect(await sha256Of(join(receiver.folder, name))).toBe(files.find((file) => file.name === name)?.sha256)
})

test('each refusal has a sentence of its own', async () => {
  const receiver = await listening({ pin: '4711', limits: { idleMs: 60_000 } })
  const { identity, peer } = await peerOf(receiver)
  const file = await fileOf('x', Buffer.from('x'))
  const send = async (more = {}) => sendFiles(peer, [file], { ...SENDING, identity, waitMs: 0, ...more })
  await expect(send()).rejects.toThrow('there wants a PIN, or another one: say it with --pin')
  await expect(send({ pin: '4711' })).resolves.toEqual({ declined: [] })
  const huge = { ...file, size: 2 ** 50 }
  await expect(sendFiles(peer, [huge], { ...SENDING, identity, pin: '4711' })).rejects.toThrow(
    'there declined: there is not enough room on the disk',
  )
  for (const pin of ['1', '2', '3']) await expect(send({ pin })).rejects.toThrow(/PIN/)
  await expect(send({ pin: '4711' })).rejects.toThrow('there takes no more PINs from this machine')
})

test('a receiver that is busy is waited for, as long as the person wants', async () => {
  const receiver = await listening({ insecureHttp: true, limits: { idleMs: 1200 } })
  const { identity, peer } = await peerOf(receiver, true)
  const file = await fileOf('x', Buffer.from('x'))
  const other = request({
    host: '127.0.0.1',
    localAddress: '127.0.0.2',
    port: receiver.port,
    method: 'POST',
    path: '/api/localsend/v2/prepare-upload',
  })
  other.end(JSON.stringify({ info: {}, files: { a: { fileName: 'a', size: 1 } } }))
  await once(other, 'response')
  const send = async (waitMs: number) => sendFiles(peer, [file], { ...SENDING, identity, waitMs })
  await expect(send(0)).rejects.toThrow(/is busy with another transfer: wait longer with --wait/)
  await expect(send(10_000)).resolves.toEqual({ declined: [] })
})

test('a connection that breaks at any byte, twice, is made again, and the file arrives whole', async () => {
  const receiver = await listening()
  const file = await fileOf('x', randomBytes(2_000_000))
  for (const breakAt of [5000, 400_000, 1_990_000]) {
    const proxy = await breakingProxy(receiver.port, [breakAt, breakAt])
    const { identity, peer } = await peerOf({ ...receiver, port: proxy.port })
    proxy.arm()
    await expect(sendFiles(peer, [file], { ...SENDING, identity })).resolves.toEqual({ declined: [] })
    expect(proxy.broken()).toBe(2)
  }
  expect(await filesBelow(receiver.folder)).toEqual(['x', 'x (1)', 'x (2)'])
  for (const name of ['x', 'x (1)', 'x (2)'])
    expect(await sha256Of(join(receiver.folder, name))).toBe(file.sha256)
})

test('a connection that breaks three times is given up, and nothing is left of the file', async () => {
  const receiver = await listening()
  const file = await fileOf('x', randomBytes(2_000_000))
  const proxy = await breakingProxy(receiver.port, [100_000, 100_000, 100_000])
  const { identity, peer } = await peerOf({ ...receiver, port: proxy.port })
  proxy.arm()
  await expect(sendFiles(peer, [file], { ...SENDING, identity })).rejects.toThrow(/connection to there broke/)
  await vi.waitUntil(() => receiver.events.some(({ event }) => event === 'over'), { timeout: 5000 })
  expect(await filesBelow(receiver.folder)).toEqual([])
})

test('another certificate in the middle of a transfer gets not a byte', async () => {
  const [receiver, impostor] = [await listening(), await listening()]
  const { identity, peer } = await peerOf(receiver)
  const file = await fileOf('x', Buffer.from('secret'))
  const sending = sendFiles({ ...peer, port: impostor.port }, [file], { ...SENDING, identity })
  await expect(sending).rejects.toMatchObject({ trouble: 'changed', exitCode: 5 })
  expect(impostor.events).toEqual([])
})

test('a certificate that has changed since it was first seen is refused until --trust-new', async () => {
  const folder = await temporaryFolder()
  const at = { name: 'there', address: '100.64.0.9', port: 53_317 }
  const check = async (fingerprint: string, trustNew = false) => {
    const trust = trustIn(folder, at, trustNew)
    await trust.check(fingerprint)
    await trust.remember(fingerprint)
  }
  await check('AA')
  await check('AA')
  await expect(check('BB')).rejects.toThrow(/--trust-new$/)
  await expect(check('BB')).rejects.toMatchObject({ exitCode: 5, nextMayTake: false })
  await check('BB', true)
  await check('BB')
  await expect(check('AA')).rejects.toThrow(/has changed/)
})

test('an identity is made once, by many at once too, and nobody else can read it', async () => {
  const folder = await temporaryFolder()
  const made = await Promise.all(Array.from({ length: 8 }, async () => ownIdentity(folder)))
  expect(new Set(made.map(({ fingerprint }) => fingerprint)).size).toBe(1)
  expect(await ownIdentity(folder)).toEqual(made[0])
  expect((await stat(join(folder, 'localsend-identity.pem'))).mode & 0o777).toBe(0o600)
  await writeFile(join(folder, 'localsend-identity.pem'), 'nonsense')
  await expect(ownIdentity(folder)).rejects.toThrow(/delete it/)
})

test('a peer that has spoken TLS is not spoken to without, and what is not LocalSend is not remembered', async () => {
  const folder = await temporaryFolder()
  const identity = await ownIdentity(folder)
  const plain = await listening({ insecureHttp: true })
  const at = { name: 'there', address: '127.0.0.1', port: plain.port }
  const options = { identity, timeoutMs: 3000, signal: new AbortController().signal, insecureHttp: true }
  await trustIn(folder, at, false).remember('AA')
  await expect(probe(at, { ...options, trust: trustIn(folder, at, false) })).rejects.toMatchObject({
    exitCode: 5,
  })
  expect((await probe(at, { ...options, trust: trustIn(folder, at, true) })).protocol).toBe('http')
  const web = createServer({ key: identity.key, cert: identity.cert }, (_, answer) => answer.end('hello'))
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  const other = { ...at, port: Number(Object(web.address()).port) }
  await expect(probe(other, { ...options, trust: trustIn(folder, other, false) })).rejects.toThrow(
    /not as LocalSend does/,
  )
  expect(await trustIn(folder, other, false).isKnown()).toBe(false)
  web.close()
})

test('a peer that speaks no TLS is asked without only when the person says so', async () => {
  const receiver = await listening({ insecureHttp: true })
  await expect(peerOf(receiver)).rejects.toThrow(/--insecure-http/)
  expect((await peerOf(receiver, true)).peer.protocol).toBe('http')
})
