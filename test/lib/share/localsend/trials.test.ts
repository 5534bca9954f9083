import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import pMap from 'p-map'
import { expect, test } from 'vitest'
import { sendFiles } from '../../../../lib/share/localsend/client/client.ts'
import { ownIdentity } from '../../../../lib/share/localsend/identity.ts'
import { OWN_PREFIX } from '../../../../lib/share/localsend/receiver/names.ts'
import { hashed } from '../../../../lib/share/localsend/client/offer.ts'
import { probe } from '../../../../lib/share/localsend/client/probe.ts'
import { rounds } from '../../../rounds.ts'
import { breakingProxy, filesBelow, listening, sha256Of, temporaryFolder } from './loopback.ts'

const TRIALS = rounds(40)
const BYTES = 700_000
const AT_A_TIME = 12

test('with a fault at a random time or byte no file is there in part, and a retry ends whole', async () => {
  const identity = await ownIdentity(await temporaryFolder())
  const path = join(await temporaryFolder(), 'content')
  await writeFile(path, randomBytes(BYTES))
  const never = new AbortController().signal
  const file = await hashed({ path, name: 'x', size: BYTES, modified: new Date() }, never)
  const probing = { identity, timeoutMs: 10_000, signal: never, insecureHttp: false }
  const sending = { identity, waitMs: 20_000, silenceMs: 20_000, connectMs: 10_000, moved: () => {} }
  let [whole, broken] = [0, 0]

  const undisturbed = async () => {
    const receiver = await listening({ limits: { anewMs: 0 } })
    const found = { name: 'there', address: '127.0.0.1', port: receiver.port }
    const peer = await probe(found, probing)
    const begun = performance.now()
    await sendFiles(peer, [file], { ...sending, signal: never })
    await receiver.close()
    return performance.now() - begun
  }
  // Faults at a random time fall into as long as a transfer takes on this machine beside as many others.
  const times = await Promise.all(Array.from({ length: AT_A_TIME }, undisturbed))
  const usualMs = times.reduce((sum, ms) => sum + ms, 0) / times.length

  const trial = async (fault: 'receiver' | 'sender' | 'connection', at: number) => {
    const receiver = await listening({ limits: { anewMs: 0 } })
    const proxy = await breakingProxy(receiver.port, [at, at, at])
    const found = { name: 'there', address: '127.0.0.1', port: proxy.port }
    const peer = await probe(found, probing)
    const stop = new AbortController()
    const after = sleep((at / BYTES) * usualMs)
    if (fault === 'connection') proxy.arm()
    if (fault === 'sender') void after.then(() => stop.abort(new Error('stopped')))
    const closed = fault === 'receiver' ? after.then(receiver.close) : undefined
    await sendFiles(peer, [file], { ...sending, signal: stop.signal }).then(
      () => (whole += 1),
      () => (broken += 1),
    )
    await closed
    for (const name of await readdir(receiver.folder))
      if (!name.startsWith(OWN_PREFIX)) expect(await sha256Of(join(receiver.folder, name))).toBe(file.sha256)

    const again = fault === 'receiver' ? await listening({ folder: receiver.folder }) : receiver
    const anew = await probe({ ...found, port: again.port }, probing)
    await sendFiles(anew, [file], { ...sending, signal: never })
    await again.close()
    const names = await filesBelow(receiver.folder)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) expect(await sha256Of(join(receiver.folder, name))).toBe(file.sha256)
  }

  const faults = fc.constantFrom('receiver' as const, 'sender' as const, 'connection' as const)
  const trials = fc.sample(fc.tuple(faults, fc.integer({ min: 1, max: BYTES })), TRIALS)
  await pMap(
    trials,
    async ([fault, at]) => {
      await trial(fault, at).catch((error: unknown) => {
        throw new Error(`${fault} at ${at}`, { cause: error })
      })
    },
    { concurrency: AT_A_TIME },
  )
  // Both must have happened, or the faults came too late or too soon.
  expect(Math.min(whole, broken)).toBeGreaterThan(0)
}, 240_000)
