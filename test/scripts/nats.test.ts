import { readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect, headers, nkeyAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { recordText } from '../../lib/mesh/nats/record.ts'
import { startNats, withoutNats, type RunningNats } from '../nats/server.ts'
import { runScript } from '../run-script.ts'

/** What machines tell a real nats-server is the mesh: real agents, and one program that speaks for a thousand machines. */

const ROOT = new URL('../..', import.meta.url).pathname
const bare = { RESOURCE_SHARING_HOSTS: '' }
const machine = { os: 'linux', load1: 0.4, load5: 1, load15: 2, cpus: 4 }
const sleep = async (ms: number) => await new Promise((resolve) => setTimeout(resolve, ms))

const connections: NatsConnection[] = []
const agents: { kill: (signal: 'SIGKILL') => boolean; end: () => Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(connections.splice(0).map(async (each) => await each.close()))
  for (const each of agents) each.kill('SIGKILL')
  await Promise.all(agents.splice(0).map(async ({ end }) => await end()))
})

/** A connection of whoever has the seed in this file. */
async function as(server: RunningNats, name: string, inboxPrefix = 'mesh.read'): Promise<NatsConnection> {
  const connection = await connect({
    servers: `127.0.0.1:${server.port}`,
    authenticator: nkeyAuthenticator(
      new TextEncoder().encode((await readFile(server.credentials(name), 'utf8')).split('\n')[1] ?? ''),
    ),
    inboxPrefix,
  })
  connections.push(connection)
  return connection
}

const meshArgs = (server: RunningNats, who = 'reader') => [
  '--source',
  server.source,
  '--source-config',
  server.credentials(who),
  '--timeout',
  '30',
]

type Node = { name: string; outcome: string; trit?: number; reason?: string; receiver?: unknown }
async function meshOf(server: RunningNats) {
  const ran = await runScript('mesh-balance', [...meshArgs(server), '--json'], bare)
  const mesh: { from?: string; nodes: Node[]; sum?: number } = JSON.parse(ran.stdout || '{"nodes":[]}')
  const told = mesh.nodes.map(({ name, outcome, trit, reason }) => [name, outcome, trit ?? reason].join(' '))
  return { ...ran, mesh, told }
}

/** A real agent under this name, and the lines that it says. */
function begin(server: RunningNats, name: string, more: string[] = [], env: Record<string, string> = {}) {
  const args = ['--source', server.source, '--source-config', server.credentials(name), '--name', name]
  const running = execa(
    process.execPath,
    [`${ROOT}cli/start.mjs`, 'scripts/agent.ts', ...args, '--interval', '1', '--json', ...more],
    {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...env },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
    },
  )
  agents.push({
    kill: (signal) => running.kill(signal),
    end: async () => {
      await running
    },
  })
  const events: { event: string; reason?: string }[] = []
  running.stdout.on('data', (text: Buffer) => {
    for (const line of text.toString().split('\n')) if (line !== '') events.push(JSON.parse(line))
  })
  const says = async (event: string, times = 1) =>
    await vi.waitUntil(() => events.filter((each) => each.event === event).length >= times, {
      timeout: 30_000,
    })
  return { running, events, says }
}

describe.skipIf(withoutNats)('a mesh whose machines tell NATS', { timeout: 60_000 }, () => {
  let server: RunningNats
  beforeAll(async () => {
    server = await startNats(['n1', 'n2', 'n3', 'n4'])
  }, 60_000)
  afterAll(async () => await server?.close())

  const publish = async (name: string, more: object = {}, key = name) => {
    const node = await as(server, name)
    node.publish(`$KV.mesh.${key}`, recordText(name, { ...machine, ...more }, 10))
    await node.flush()
    return node
  }
  const remove = async (...names: string[]) => {
    const owner = await as(server, 'owner')
    const gone = headers()
    gone.set('KV-Operation', 'DEL')
    for (const name of names) owner.publish(`$KV.mesh.${name}`, '', { headers: gone })
    await owner.flush()
  }

  test('an empty bucket is told as such, at once', async () => {
    const { exitCode, stderr } = await meshOf(server)
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^NATS at 127\.0\.0\.1:\d+ has no machine in the bucket mesh: just agent/)
  })

  test('three agents tell their load, and take it away when they are told to end', async () => {
    const running = ['n1', 'n2', 'n3'].map((name) => begin(server, name))
    await Promise.all(running.map(async ({ says }) => await says('published')))
    const { mesh, stderr } = await meshOf(server)
    expect(stderr).toBe('')
    expect(mesh.from).toBe('nats')
    const here = await runScript('node-trit', ['--json'], bare)
    const { cpus } = JSON.parse(here.stdout)
    expect(mesh.nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
      ['n1', 'n2', 'n3'].map((name) => expect.objectContaining({ name, outcome: 'ok', os: 'linux', cpus })),
    )
    for (const each of running) each.running.kill('SIGTERM')
    const ended = await Promise.all(running.map(async (each) => await each.running))
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([130, 130, 130])
    for (const { events } of running) expect(events.at(-1)).toMatchObject({ event: 'removed' })
    expect((await meshOf(server)).stderr).toContain('has no machine')
  })

  test('marks of the owner come along, so that who only looks for room asks no machine itself', async () => {
    const closed = { receiver: { arrivals: [], closed: 'lunch' } }
    await publish('n1', closed)
    await publish('n2', { load1: 0.5 })
    await publish('n3', { load1: 3.9 })
    const { mesh, told } = await meshOf(server)
    expect(told).toEqual(['n3 ok 1', 'n2 ok -1', 'n1 ok -1'])
    expect(mesh.nodes[2]).toMatchObject({ receiver: { closed: 'lunch' } })
    const env = {
      ...bare,
      RESOURCE_SHARING_SOURCE: server.source,
      RESOURCE_SHARING_SOURCE_CONFIG: server.credentials('reader'),
      DEBUG: 'resource-sharing',
    }
    const minus = await runScript('find-minus', ['--only-minus', '--json', '--timeout', '30'], env)
    expect(JSON.parse(minus.stdout).nodes).toEqual([expect.objectContaining({ name: 'n2', trit: -1 })])
    expect(minus.stderr).not.toContain('+ ssh')
    // Who is to act on it asks the machine.
    const offload = await runScript('offload', ['--timeout', '5', '--', 'true'], env)
    expect(offload.stderr).toMatch(/\+ ssh .* -- n2 /)
    await remove('n1', 'n2', 'n3')
  })

  test('with --once an agent says it one time, and a name is that of its own credentials', async () => {
    const args = ['--source', server.source, '--source-config', server.credentials('n1'), '--once']
    const once = await runScript('agent', [...args, '--name', 'n1', '--json', '--timeout', '30'], bare)
    expect(once).toMatchObject({ exitCode: 0, stderr: '' })
    expect(JSON.parse(once.stdout)).toMatchObject({ name: 'n1', published: 1 })
    const other = await runScript('agent', [...args, '--name', 'n2', '--timeout', '30'], bare)
    expect(other.exitCode).toBe(1)
    expect(other.stderr).toMatch(/does not let these credentials write \$KV\.mesh\.n2: take those of this/)
    expect((await meshOf(server)).told).toEqual([expect.stringMatching(/^n1 ok /)])
    await remove('n1')
  })

  describe('a machine that means ill', () => {
    const others = async () => (await meshOf(server)).told.filter((line) => !line.startsWith('n1 '))
    beforeAll(async () => {
      await publish('n2', { load1: 0.1 })
      await publish('n1')
    })
    afterAll(async () => await remove('n1', 'n2'))

    const header = (name: string, value: string) => {
      const set = headers()
      set.set(name, value)
      return set
    }
    test.each([
      ['the key itself', (node: NatsConnection) => node.publish('$KV.mesh.n2', 'x')],
      ['a wildcard', (node: NatsConnection) => node.publish('$KV.mesh.*', 'x')],
      [
        'the subject of a reply',
        (node: NatsConnection) => node.publish('$KV.mesh.n1', 'x', { reply: '$KV.mesh.n2' }),
      ],
      [
        'Nats-Rollup: all',
        (node: NatsConnection) => node.publish('$KV.mesh.n1', 'x', { headers: header('Nats-Rollup', 'all') }),
      ],
      [
        'Nats-Rollup: sub',
        (node: NatsConnection) => node.publish('$KV.mesh.n1', 'x', { headers: header('Nats-Rollup', 'sub') }),
      ],
      [
        'the destination of a trace',
        (node: NatsConnection) =>
          node.publish('$KV.mesh.n1', 'x', { headers: header('Nats-Trace-Dest', '$KV.mesh.n2') }),
      ],
      [
        'a schedule',
        (node: NatsConnection) => {
          const set = header('Nats-Schedule', '@at 2020-01-01T00:00:00Z')
          set.set('Nats-Schedule-Target', '$KV.mesh.n2')
          node.publish('$KV.mesh.n1', 'x', { headers: set })
        },
      ],
      [
        'the API of JetStream',
        (node: NatsConnection) => node.publish('$JS.API.STREAM.DELETE.KV_mesh', '', { reply: '$KV.mesh.n2' }),
      ],
      [
        'the API of readers',
        (node: NatsConnection) => node.publish('mesh.api.STREAM.INFO.KV_mesh', '', { reply: '$KV.mesh.n2' }),
      ],
    ])('cannot write the key of another one by %s', async (_, act) => {
      const node = await as(server, 'n1')
      act(node)
      await node.flush()
      await sleep(100)
      expect(await others()).toEqual(['n2 ok -1'])
    })

    test('reads nothing', async () => {
      const node = await as(server, 'n1')
      const refused: string[] = []
      const heard = async () => {
        for await (const status of node.status())
          if (status.type === 'error') refused.push(String(status.error))
      }
      void heard()
      node.subscribe('$KV.mesh.>', { callback: () => {} })
      await node.flush()
      await vi.waitUntil(() => refused.length > 0, { timeout: 5000 })
      expect(refused[0]).toMatch(/Permissions Violation for Subscription/)
      const mesh = await runScript('mesh-balance', [...meshArgs(server, 'n1'), '--json'], bare)
      expect(mesh).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('take those of a reader') })
    })

    test.each([
      ['nothing that is JSON', '\u001B[31mgarbage', 'its record is no JSON'],
      ["somebody else's record", recordText('n2', machine, 10), 'is not of the machine that its key names'],
      [
        'escape codes and a trit of its own',
        JSON.stringify({
          version: 1,
          node: 'n1',
          trit: -1,
          intervalSeconds: 10,
          ...machine,
          os: '\u001B]0;x\u0007',
        }),
        'its record has no valid os',
      ],
    ])('that says %s has no trit, and the others have theirs', async (_, text, reason) => {
      const node = await as(server, 'n1')
      node.publish('$KV.mesh.n1', text)
      await node.flush()
      const { told, stdout } = await meshOf(server)
      expect(told).toEqual(['n2 ok -1', expect.stringContaining(reason)])
      expect(told[1]).toMatch(/^n1 bad-output /)
      expect(stdout).not.toContain('\u001B')
    })

    test('a trit is made of the load, whatever a record says of it', async () => {
      const node = await as(server, 'n1')
      const lie = { ...JSON.parse(recordText('n1', { ...machine, load1: 4 }, 10)), trit: -1, ratio: 0 }
      node.publish('$KV.mesh.n1', JSON.stringify(lie))
      await node.flush()
      expect((await meshOf(server)).told).toEqual(['n1 ok 1', 'n2 ok -1'])
    })

    test('a megabyte is not taken: the record of before stands', async () => {
      await publish('n1', { load1: 4 })
      const node = await as(server, 'n1')
      // The client looks at the server's limit itself; whoever means ill has another client.
      expect(() => node.publish('$KV.mesh.n1', 'x'.repeat(1_000_000))).toThrow(/max_payload/i)
      node.publish('$KV.mesh.n1', 'x'.repeat(60_000))
      await node.flush()
      await sleep(100)
      expect((await meshOf(server)).told).toEqual(['n1 ok 1', 'n2 ok -1'])
    })
  })

  test('who reads cannot write, by no answer of the server either', async () => {
    await publish('n2', { load1: 0.1 })
    const reader = await as(server, 'reader')
    const reply = '$KV.mesh.n2'
    for (const name of ['n2', 'n9']) reader.publish(`$KV.mesh.${name}`, 'x')
    reader.publish('mesh.api.STREAM.INFO.KV_mesh', '', { reply })
    reader.publish('$JS.API.STREAM.INFO.KV_mesh', '', { reply })
    reader.publish('$JS.API.STREAM.DELETE.KV_mesh', '')
    reader.publish('mesh.api.STREAM.DELETE.KV_mesh', '')
    const consumer = (deliver_subject: string, index: number) =>
      reader.publish(
        `mesh.api.CONSUMER.CREATE.KV_mesh.c${index}`,
        JSON.stringify({
          stream_name: 'KV_mesh',
          config: { name: `c${index}`, deliver_subject, ack_policy: 'none', deliver_policy: 'all' },
        }),
        { reply },
      )
    const targets = [reply, '$JS.API.STREAM.DELETE.KV_mesh', '$JS.API.STREAM.PURGE.KV_mesh']
    targets.forEach(consumer)
    await reader.flush()
    await sleep(500)
    expect((await meshOf(server)).told).toEqual(['n2 ok -1'])
    await remove('n2')
  })

  test('a thousand machines are read, with their names as text', async () => {
    const owner = await as(server, 'owner')
    const names = Array.from({ length: 1000 }, (_, index) => `m${index}`)
    for (const [index, name] of names.entries())
      owner.publish(`$KV.mesh.${name}`, recordText(name, { ...machine, load1: (index % 3) * 2 }, 10))
    owner.publish('$KV.mesh.\u001B[31mred', recordText('\u001B[31mred', machine, 10))
    await owner.flush()
    const { mesh, told, stdout } = await meshOf(server)
    expect(mesh.nodes).toHaveLength(1001)
    expect(told.filter((line) => line.endsWith(' ok -1'))).toHaveLength(334)
    expect(told.filter((line) => line.endsWith(' ok 0'))).toHaveLength(333)
    expect(told.filter((line) => line.endsWith(' ok 1'))).toHaveLength(333)
    expect(told.at(-1)).toBe('%1B%5B31mred bad-output its key is no name of a machine')
    expect(stdout).not.toContain('\u001B')
    await remove(...names, '\u001B[31mred')
    expect((await meshOf(server)).stderr).toContain('has no machine')
  })

  test('a machine that says nothing any more is timeout, and then is forgotten', async () => {
    const other = await startNats(['n1'], { args: ['--ttl', '60'] })
    try {
      const node = await as(other, 'n1')
      node.publish('$KV.mesh.n1', recordText('n1', machine, 1))
      await node.flush()
      expect((await meshOf(other)).told).toEqual(['n1 ok -1'])
      await vi.waitUntil(async () => (await meshOf(other)).told[0] !== 'n1 ok -1', {
        timeout: 30_000,
        interval: 1000,
      })
      expect((await meshOf(other)).told).toEqual([
        expect.stringMatching(/^n1 timeout its record is \d+ s old$/),
      ])
      const { max_age } = JSON.parse(await readFile(join(other.folder, 'bucket.json'), 'utf8'))
      expect(max_age).toBe(60e9)
    } finally {
      await other.close()
    }
  })

  test('an agent waits for a server that is gone, and goes on when it is there again', async () => {
    const other = await startNats(['n1'])
    try {
      const { running, events, says } = begin(other, 'n1')
      await says('published', 2)
      await other.kill()
      await says('lost', 2)
      expect(events.findLast(({ event }) => event === 'lost')?.reason).toMatch(/^NATS at .* refused/)
      await other.begin()
      const before = events.filter(({ event }) => event === 'published').length
      await says('connected', 2)
      await says('published', before + 1)
      expect((await meshOf(other)).told).toEqual([expect.stringMatching(/^n1 ok /)])
      running.kill('SIGTERM')
      expect((await running).exitCode).toBe(130)
      expect((await meshOf(other)).stderr).toContain('has no machine')
    } finally {
      await other.close()
    }
  })

  test('a machine that is added is let in after a reload, and secrets are for this user alone', async () => {
    const args = ['--dir', server.folder, '--node', 'n5', '--node', 'n1']
    const { stdout, stderr, exitCode } = await runScript('nats-setup', args, bare)
    expect({ stdout, exitCode }).toEqual({
      stdout: `${join(server.folder, 'n5.nk')}\n${join(server.folder, 'nodes.conf')}`,
      exitCode: 0,
    })
    expect(stderr).toContain('n1 is known already')
    expect((await stat(server.credentials('n5'))).mode & 0o777).toBe(0o600)
    const once = async () =>
      await runScript(
        'agent',
        ['--source', server.source, '--source-config', server.credentials('n5'), '--name', 'n5', '--once'],
        bare,
      )
    expect((await once()).stderr).toMatch(/does not take these credentials/)
    server.reload()
    await vi.waitUntil(async () => (await once()).exitCode === 0, { timeout: 20_000 })
    expect((await meshOf(server)).told).toEqual([expect.stringMatching(/^n5 ok /)])
    await remove('n5')
  })

  test('where it is not as it was written, nothing is added, and no secret is overwritten', async () => {
    const other = await startNats(['n1'])
    try {
      const file = join(other.folder, 'nodes.conf')
      const text = await readFile(file, 'utf8')
      const setup = async (name: string) =>
        await runScript('nats-setup', ['--dir', other.folder, '--node', name], bare)
      await writeFile(other.credentials('n7'), 'mine')
      expect(await setup('n7')).toMatchObject({
        exitCode: 5,
        stderr: expect.stringContaining('nobody is known'),
      })
      expect(await readFile(other.credentials('n7'), 'utf8')).toBe('mine')
      await writeFile(file, `${text}# more\n`)
      expect(await setup('n8')).toMatchObject({
        exitCode: 5,
        stderr: expect.stringContaining('does not end as'),
      })
      expect(await readFile(file, 'utf8')).toBe(`${text}# more\n`)
      await expect(stat(other.credentials('n8'))).rejects.toThrow('ENOENT')
      for (const name of ['owner', '*', '../x', 'a..b', ''])
        expect(await setup(name)).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^--node? /) })
    } finally {
      await other.close()
    }
  })

  test('what goes wrong with a server is one line, and no mesh', async () => {
    const asked = async (source: string, who = 'reader', timeout = '30') => {
      const args = ['--source', `nats=${source}`, '--source-config', server.credentials(who)]
      const ran = await runScript('find-minus', [...args, '--timeout', timeout], bare)
      expect(ran).toMatchObject({ exitCode: 1, stdout: '' })
      expect(ran.stderr).not.toContain('\n')
      return ran.stderr
    }
    const at = `127.0.0.1:${server.port}`
    expect(await asked('nats://127.0.0.1:1')).toMatch(/can't be asked: connection refused$/)
    expect(await asked(`tls://${at}`)).toMatch(/offers no TLS/)
    expect(await asked(`nats://${at}/other`, 'owner')).toMatch(/has no bucket other/)
    expect(await asked(`nats://${at}/other`)).toMatch(/does not let these credentials read the bucket other/)
    await writeFile(server.credentials('bad'), '{ user: me, password: x }')
    expect(await asked(`nats://${at}`, 'bad')).toMatch(/does not take these credentials/)
    const nothing = await runScript('find-minus', ['--source', `nats=nats://${at}`], bare)
    expect(nothing).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/does not take these/) })

    const sockets: Socket[] = []
    const says = async (greeting: string) => {
      const other = createServer((socket) => {
        sockets.push(socket.on('error', () => {}))
        socket.write(greeting)
      })
      await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve))
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what listens on a port has this
      const { port } = other.address() as AddressInfo
      return { url: `nats://127.0.0.1:${port}`, close: () => other.close() }
    }
    const silent = await says('')
    expect(await asked(silent.url, 'reader', '1')).toMatch(/gave no whole answer in time/)
    const other = await says('HTTP/1.1 400 \u001B[31mBad\r\n\r\n')
    expect(await asked(other.url, 'reader', '5')).toMatch(/^NATS at [^\u001B]*$/)
    // Whoever answers may know how a server begins, and go on as none does.
    const info = JSON.stringify({
      server_id: 'x',
      version: '2.15.2',
      headers: true,
      max_payload: 1,
      proto: 1,
    })
    const garbled = await says(`INFO ${info}\r\nPONG\r\n\u001B[31mgarbage\r\n`)
    expect(await asked(garbled.url, 'reader', '2')).toMatch(/^NATS at [^\u001B]*$/)
    for (const each of sockets) each.destroy()
    for (const each of [silent, other, garbled]) each.close()
  })
})
