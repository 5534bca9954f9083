import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, Scene, type HostName, type Workload } from '../migrate/scene.ts'
import { faultsOf } from '../migrate/ticks.ts'

// Programs that have sockets of the network move, between two machines with a criu that can; the third has an older one.
let scene: Scene
beforeAll(async () => {
  scene = await Scene.open('sockets')
  await Promise.all((['n1', 'n2'] as const).map(async (node) => await scene.lab.become(node, 'newer-criu')))
})
afterEach(() => scene?.end())
afterAll(() => scene?.lab.close())

const program = (...words: string[]) => [
  'python3',
  `${REPOSITORY}/test/workloads/sockets.py`,
  'FOLDER',
  ...words,
]
const PORT = '4711'
const lan = (node: HostName) => scene.lab.nodes.find(({ name }) => name === node)?.lanIp ?? ''

/** What a server answers who connects from the third machine; nothing where nobody does. */
async function asked(node: HostName, kind: 'STREAM' | 'DGRAM' = 'STREAM'): Promise<string> {
  const script = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_${kind}); s.settimeout(2)
try: s.connect(("${lan(node)}", ${PORT})); s.send(b"?"); print(s.recv(100).decode().strip())
except OSError: pass`
  return await scene.sh('n3', `python3 -c '${script}'`)
}

const move = async (from: HostName, { pid }: Workload, to: HostName, ...more: string[]) =>
  await scene.move(from, [String(pid), '--target', to, '--copy-files', ...more])

/** It counts on there, no number lost or doubled, and is nowhere else. */
async function wentOn(workload: Workload, from: HostName, to: HostName): Promise<void> {
  await scene.goesOn(to, workload)
  expect(faultsOf(await scene.ticks(from, workload), await scene.ticks(to, workload))).toEqual([])
  expect(await scene.present(workload)).toEqual([to])
}

const text = async (node: HostName, { folder }: Workload, name: string) =>
  await scene.sh(node, `cat ${folder}/${name} 2>/dev/null || :`)

/** The numbers that came to a keeper, in their order, and how often somebody has closed. */
async function heard(node: HostName, keeper: Workload): Promise<{ numbers: number[]; closed: number }> {
  const lines = (await text(node, keeper, 'heard')).split('\n').filter((line) => line !== '')
  const numbers = lines.filter((line) => line !== 'closed').map(Number)
  return { numbers, closed: lines.length - numbers.length }
}

test.each([
  ['a server on all addresses', ['server', '0.0.0.0', PORT], 'STREAM'],
  ['a server on all addresses of IPv6 and IPv4', ['server', '::', PORT], 'STREAM'],
  ['a server that is asked by UDP', ['udp', '0.0.0.0', PORT], 'DGRAM'],
] as const)('%s answers there and no longer here, and has lost no number', async (_, words, kind) => {
  const workload = await scene.counting('n1', program(...words))
  expect(Number(await asked('n1', kind))).toBeGreaterThan(0)
  const planned = await move('n1', workload, 'n2', '--dry-run')
  if (kind === 'STREAM') expect(planned.stdout).toMatch(/listens on port 4711 there, and no longer on n1/)
  expect(await move('n1', workload, 'n2')).toMatchObject({ exitCode: 0 })
  await wentOn(workload, 'n1', 'n2')
  expect(Number(await asked('n2', kind))).toBeGreaterThan((await scene.ticks('n1', workload)).length)
  expect(await asked('n1', kind)).toBe('')
  // And back, where its own numbers have become free.
  expect(await move('n2', workload, 'n1')).toMatchObject({ exitCode: 0 })
  expect(Number(await asked('n1', kind))).toBeGreaterThan(0)
  await expect.poll(() => scene.leftovers()).toEqual([])
})

test.each([
  [
    'an older criu here',
    'n3',
    'n1',
    /n3: tcp-socket: .*listens on port 4711.*criu 4\.2 or newer on both machines/,
  ],
  ['an older criu there', 'n1', 'n3', /n3: criu-version: .*older than 4\./],
] as const)(
  '%s: refused, with how to get a newer one, and it answers as before',
  async (_, from, to, why) => {
    const workload = await scene.counting(from, program('server', '0.0.0.0', PORT))
    expect(await move(from, workload, to)).toMatchObject({ exitCode: 5, stderr: expect.stringMatching(why) })
    await scene.goesOn(from, workload)
  },
)

test('an address that only its machine has: refused by its name', async () => {
  const workload = await scene.counting('n1', program('server', lan('n1'), PORT))
  expect(await move('n1', workload, 'n2')).toMatchObject({
    exitCode: 5,
    stderr: expect.stringMatching(
      /n2: address-missing: n2 does not have the address .*: 10\.99\.0\.11 port 4711/,
    ),
  })
})

test.each([
  ['a port', []],
  ['a port that both would share', ['shared']],
])('%s of somebody there is never taken: refused, and that one gets all that comes', async (_, shared) => {
  const workload = await scene.counting('n1', program('server', '0.0.0.0', PORT, ...shared))
  const theirs = await scene.counting('n2', program('keeper', '0.0.0.0', PORT, ...shared))
  expect(await move('n1', workload, 'n2')).toMatchObject({
    exitCode: 5,
    stderr: expect.stringMatching(/n2: port-taken: n2: somebody has a port there .*all addresses port 4711/),
  })
  await asked('n2')
  expect(await text('n2', theirs, 'heard')).toMatch(/^\?/)
  await scene.goesOn('n1', workload)
})

test('a port that somebody takes in the last moment: it stays where it was, and so does the port', async () => {
  const workload = await scene.counting('n1', program('server', '0.0.0.0', PORT))
  // criu of the target, which waits until somebody listens.
  const listen = `import socket, time; s = socket.create_server(("0.0.0.0", ${PORT})); time.sleep(60)`
  await scene.sh(
    'n2',
    `rm /usr/local/sbin/criu; printf '%s\\n' '#!/bin/sh' 'if [ "$1" = restore ]; then setsid python3 -c "$(cat /root/listen.py)" </dev/null >/dev/null 2>&1 & echo $! >>/root/listening; sleep 1; fi; exec /opt/newer-criu/criu "$@"' >/usr/local/sbin/criu; chmod 755 /usr/local/sbin/criu; printf '%s' '${listen}' >/root/listen.py`,
  )
  const ran = await move('n1', workload, 'n2')
  await scene.sh('n2', 'xargs kill </root/listening; rm /usr/local/sbin/criu')
  await scene.lab.become('n2', 'newer-criu')
  expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/criu: .*4711|Can't bind|in use/i) })
  await scene.goesOn('n1', workload)
  expect(Number(await asked('n1'))).toBeGreaterThan(0)
  expect(await scene.present(workload)).toEqual(['n1'])
})

test('a connection is closed only where that is allowed, the plan says so, and the program connects again', async () => {
  const keeper = await scene.counting('n3', program('keeper', '0.0.0.0', PORT))
  const workload = await scene.counting('n1', program('client', lan('n3'), PORT))
  expect(await move('n1', workload, 'n2')).toMatchObject({
    exitCode: 5,
    stderr: expect.stringMatching(
      /n1: tcp-connection: PID \d+ \(python3\) has connections \(port \d+\).*--close-connections/,
    ),
  })
  const planned = await move('n1', workload, 'n2', '--close-connections', '--dry-run')
  expect(planned.stdout).toMatch(
    /the connections of PID \d+ \(python3\) are closed, as if the other end had: 1 now/,
  )
  expect(await text('n1', workload, 'closed')).toBe('')
  expect(await move('n1', workload, 'n2', '--close-connections')).toMatchObject({ exitCode: 0 })
  await wentOn(workload, 'n1', 'n2')
  expect(await text('n2', workload, 'closed')).toMatch(/^\d+ (?:EPIPE|ENOTCONN|ECONNRESET)\n?$/)
  const { numbers, closed } = await heard('n3', keeper)
  expect(closed).toBe(1)
  expect(numbers.length).toBeGreaterThan(20)
})

test('a move that is undone leaves connections as they were: the other end misses nothing', async () => {
  const keeper = await scene.counting('n3', program('keeper', '0.0.0.0', PORT))
  const workload = await scene.counting('n1', program('client', lan('n3'), PORT))
  await scene.sh(
    'n2',
    `rm /usr/local/sbin/criu; printf '%s\\n' '#!/bin/sh' '[ "$1" != restore ] || exit 1' 'exec /opt/newer-criu/criu "$@"' >/usr/local/sbin/criu; chmod 755 /usr/local/sbin/criu`,
  )
  const ran = await move('n1', workload, 'n2', '--close-connections')
  await scene.sh('n2', 'rm /usr/local/sbin/criu')
  await scene.lab.become('n2', 'newer-criu')
  expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/runs on n1 as before/) })
  await scene.goesOn('n1', workload)
  expect(await text('n1', workload, 'closed')).toBe('')
  const { numbers, closed } = await heard('n3', keeper)
  expect(closed).toBe(0)
  expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  expect(numbers.length).toBeGreaterThan(20)
})
