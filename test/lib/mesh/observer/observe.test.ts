import { afterEach, expect, test, vi } from 'vitest'
import { Failure } from '../../../../lib/base/errors.ts'
import { Connections } from '../../../../lib/mesh/connections.ts'
import type { MeshNode } from '../../../../lib/mesh/node.ts'
import type { Mesh } from '../../../../lib/mesh/nodes.ts'
import { observe } from '../../../../lib/mesh/observer/observe.ts'
import { thisMachine } from '../../../../lib/mesh/this-machine.ts'

// This machine itself, and machines that are never there: what needs others is tested in the lab.
const aborters: AbortController[] = []
afterEach(() => aborters.splice(0).forEach((aborter) => aborter.abort()))

const phone: MeshNode = {
  name: 'phone',
  address: '',
  os: 'iOS',
  self: false,
  left: { outcome: 'skipped', reason: 'a phone' },
}

async function observing(find: () => Promise<Mesh>) {
  const aborter = new AbortController()
  aborters.push(aborter)
  const options = {
    find,
    roundMs: 1000,
    fanout: 4,
    connectMs: 5000,
    findMs: 50,
    connections: await Connections.open(),
  }
  return { observer: observe(options, aborter.signal), aborter }
}

test.runIf(process.platform === 'linux')('this machine is one of those that are watched', async () => {
  const { observer, aborter } = await observing(async () => ({
    nodes: [thisMachine(), phone],
    from: 'hosts',
  }))
  const { name } = thisMachine()
  for await (const { changed } of observer.changes())
    if (changed.has(name) && (observer.machines.get(name)?.history.length ?? 0) > 1) break
  const observed = observer.machines.get(name)
  expect(observed?.report).toMatchObject({ outcome: 'ok', measurement: { os: 'linux' } })
  expect(observed?.late).toBe(false)
  expect(observer.machines.get('phone')?.report).toMatchObject({ outcome: 'skipped', reason: 'a phone' })
  const release = observer.lookAt(name)
  await vi.waitUntil(() => observed?.processes?.withUsers, { timeout: 20_000 })
  release()
  aborter.abort()
  await observer.ended
})

test('machines that join the mesh appear, and those that leave it go', async () => {
  const meshes: MeshNode[][] = [[phone], [phone, { ...phone, name: 'tv' }], [{ ...phone, name: 'tv' }]]
  let round = 0
  const { observer } = await observing(async () => ({
    nodes: meshes[Math.min(round++, meshes.length - 1)] ?? [],
    from: 'tailnet',
  }))
  const seen: string[] = []
  for await (const { changed, gone } of observer.changes()) {
    seen.push(...[...changed].map((name) => `+${name}`), ...[...gone].map((name) => `-${name}`))
    if (gone.size > 0) break
  }
  expect(seen).toContain('+tv')
  expect(seen.at(-1)).toBe('-phone')
  expect([...observer.machines.keys()]).toEqual(['tv'])
})

test('a mesh that can not be known at all ends it, and why is told', async () => {
  const { observer } = await observing(() => Promise.reject(new Failure('Tailscale is stopped')))
  for await (const { changed } of observer.changes()) expect(changed.size).toBe(0)
  await expect(observer.ended).rejects.toThrow('Tailscale is stopped')
})

test('aborted, it ends whole: its readers too', async () => {
  const { observer, aborter } = await observing(async () => ({ nodes: [thisMachine()], from: 'hosts' }))
  const read = (async () => {
    let count = 0
    for await (const _ of observer.changes()) count += 1
    return count
  })()
  await vi.waitUntil(() => [...observer.machines.values()][0]?.report, { timeout: 20_000 })
  aborter.abort()
  await observer.ended
  expect(await read).toBeGreaterThan(0)
})
