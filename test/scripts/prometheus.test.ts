import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { freePort } from '../free-port.ts'
import {
  exported,
  serve,
  startPrometheus,
  withoutNodeExporter,
  withoutPrometheus,
  type RunningPrometheus,
} from '../prometheus/server.ts'
import { promtool, withoutPromtool } from '../promtool.ts'
import { runScript } from '../run-script.ts'

/** What a real Prometheus measures is the mesh: real scrapes of machines that say what a test makes them say. */

const RULES = new URL('../../docs/prometheus/rules.yml', import.meta.url).pathname
const DASHBOARD = new URL('../../docs/prometheus/dashboard.json', import.meta.url).pathname
const bare = { RESOURCE_SHARING_HOSTS: '' }

describe.skipIf(withoutPrometheus)('a mesh that Prometheus measures', () => {
  const said: Record<string, string | undefined> = {
    '/n1': exported({ name: 'first', load1: 3.9, cpus: 4 }),
    '/n2': exported({ name: 'second', load1: 0.4, cpus: 4 }),
    '/n3': exported({ name: 'third', load1: 2, cpus: 4 }),
    '/n4': exported({ name: 'fourth', load1: 0.1, cpus: 4 }),
    '/n5': exported({ name: 'fifth', load1: 'NaN', cpus: 4 }),
    '/n6': exported({ name: 'sixth', cpus: 0 }),
    // Whatever a server says is text.
    '/n7': exported({ name: '\u001B[31m$(touch x)', load1: 1.2, cpus: 4 }),
    '/other': 'something_else 1\n',
  }
  let machines: Awaited<ReturnType<typeof serve>>
  let prometheus: Awaited<ReturnType<typeof startPrometheus>>
  beforeAll(async () => {
    machines = await serve(({ url = '' }, response) => {
      // Its samples say that they are old, as those of an exporter do that keeps what it has measured long ago.
      const old =
        url === '/n9' ? exported({ name: 'ninth', load1: `0.1 ${Date.now() - 200_000}`, cpus: 4 }) : undefined
      const text = old ?? said[url]
      response.writeHead(text === undefined ? 500 : 200).end(text)
    })
    const address = `127.0.0.1:${machines.port}`
    const names = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9']
    prometheus = await startPrometheus([
      ...names.map((name) => ({ instance: `${name}:9100`, address, path: `/${name}` })),
      { instance: 'n1:9256', address, path: '/other', job: 'other' },
      { instance: 'n2:9256', address, path: '/dead', job: 'other' },
    ])
    await vi.waitUntil(async () => (await prometheus.ask('count(node_load1)')) === 8, {
      timeout: 20_000,
    })
  })
  afterAll(async () => {
    await prometheus?.close()
    machines?.close()
  })
  const source = (more: string[] = []) => [
    '--source',
    `prometheus=${prometheus.url}`,
    '--timeout',
    '30',
    ...more,
  ]
  const meshOf = async (more: string[] = []) => {
    const ran = await runScript('mesh-balance', [...source(['--json']), ...more], bare)
    return { ...ran, mesh: JSON.parse(ran.stdout === '' ? '{"nodes":[]}' : ran.stdout) }
  }

  test('each machine has the trit of its load, or the outcome that fits it', async () => {
    const { mesh, stderr } = await meshOf()
    expect(stderr).toBe('')
    expect(mesh.from).toBe('prometheus')
    const found: string[] = mesh.nodes.map(
      (node: { name: string; outcome: string; trit?: number; reason?: string }) =>
        [node.name, node.outcome, node.trit ?? node.reason].join(' '),
    )
    expect(found).toEqual([
      'n1 ok 1',
      'n3 ok 0',
      'n7 ok 0',
      'n2 ok -1',
      'n4 ok -1',
      'n5 bad-output Prometheus has no valid node_load1 of it',
      'n6 bad-output Prometheus has no node_cpu_seconds_total of it: its CPUs are not known',
      'n8 unreachable its node_exporter does not answer Prometheus (up is 0)',
      expect.stringMatching(/^n9 timeout its last sample in Prometheus is 2\d\d s old$/),
    ])
    expect(mesh.nodes[0]).toMatchObject({
      os: 'linux',
      load1: 3.9,
      load5: 1,
      load15: 2,
      cpus: 4,
      ratio: 3.9 / 4,
      availableBytes: 1e9,
      uptimeSeconds: 1500,
    })
    expect(mesh.sum).toBe(-1)
  })

  test('names are those of another label, shown as the text that they are', async () => {
    const { mesh } = await meshOf(['--node-label', 'nodename'])
    const names = mesh.nodes.map(({ name }: { name: string }) => name)
    expect(names).toEqual([
      'first',
      'third',
      '$(touch x)',
      'second',
      'fourth',
      'fifth',
      'n8-9100',
      'ninth',
      'sixth',
    ])
    expect((await meshOf(['--node-label', 'rack'])).mesh.nodes[0]).toMatchObject({
      outcome: 'bad-output',
      reason: 'it has no label rack: --node-label takes another label for its name',
    })
    const same = await meshOf(['--node-label', 'sysname'])
    expect(same.exitCode).toBe(1)
    expect(same.mesh.nodes[0]).toMatchObject({
      outcome: 'bad-output',
      reason: expect.stringContaining('another one has too, Linux'),
    })
  })

  test('find-minus names the emptiest, by the environment too, and asks no machine itself', async () => {
    const env = { ...bare, RESOURCE_SHARING_SOURCE: `prometheus=${prometheus.url}` }
    const ran = await runScript('find-minus', ['-n', '2', '--timeout', '30', '--json'], env)
    expect(JSON.parse(ran.stdout)).toMatchObject({
      nodes: [
        { name: 'n4', trit: -1 },
        { name: 'n2', trit: -1 },
      ],
    })
    const without = await runScript('find-minus', ['-n', '1', '--timeout', '30', '--exclude', 'n4'], env)
    expect(without.stdout).toMatch(/^n2: 0\.40/)
    const debug = await runScript('find-minus', ['--timeout', '30'], { ...env, DEBUG: 'resource-sharing' })
    expect(debug.stderr).not.toContain('+ ssh')
  })

  test('a name is one of those that Prometheus knows, or of this machine', async () => {
    const args = [...source(), '--host', 'n77', '--json']
    const { exitCode, stderr } = await runScript('scum-view', args, bare)
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^--host "n77" is not in the mesh: it has (?=.*\bn1\b)(?=.*\bn8\b)/)
    const other = await runScript('migrate-scum', [...source(), 'n77:1', '--yes'], bare)
    expect(other).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/n77" is not in the mesh: it has /),
    })
  })

  test('a machine that has to be asked itself is, and no other', async () => {
    const ran = await runScript('find-minus', source(['--only-minus', '--json']), {
      ...bare,
      DEBUG: 'resource-sharing',
    })
    // Nobody looks up these names here: what ssh says of it is their outcome.
    expect(ran.exitCode).toBe(3)
    expect(ran.stderr).toMatch(/\+ ssh .* -- n4 /)
    expect(ran.stderr).not.toMatch(/-- n8 /)
  })
})

test.skipIf(withoutNodeExporter)(
  'a real node_exporter measures what this machine says of itself',
  async () => {
    const address = `127.0.0.1:${await freePort()}`
    const exporter = execa('prometheus-node-exporter', [`--web.listen-address=${address}`], { reject: false })
    const prometheus = await startPrometheus([{ instance: 'n2:9100', address }])
    try {
      // A share of time in which CPUs were waited for is known once there were two looks.
      await vi.waitUntil(async () => (await prometheus.ask('count(node_cpu_seconds_total offset 2s)')) > 0, {
        timeout: 30_000,
      })
      const args = ['--source', `prometheus=${prometheus.url}`, '--json', '--timeout', '30']
      const [there, here] = await Promise.all([
        runScript('mesh-balance', args, bare),
        runScript('mesh-balance', ['--json', '--timeout', '30'], { ...bare, PATH: process.env.PATH ?? '' }),
      ])
      const [own] = JSON.parse(here.stdout).nodes
      expect(JSON.parse(there.stdout).nodes).toEqual([
        expect.objectContaining({ name: 'n2', outcome: 'ok', os: 'linux', cpus: own.cpus }),
      ])
      const [found] = JSON.parse(there.stdout).nodes
      expect(Math.abs(found.uptimeSeconds - own.uptimeSeconds)).toBeLessThan(60)
      expect(found.availableBytes).toBeGreaterThan(own.availableBytes / 2)
    } finally {
      exporter.kill('SIGKILL')
      await exporter
      await prometheus.close()
    }
  },
)

describe.skipIf(withoutPrometheus)('with the rules of docs/prometheus', () => {
  let machines: Awaited<ReturnType<typeof serve>>
  let prometheus: RunningPrometheus
  beforeAll(async () => {
    machines = await serve(({ url = '' }, response) => {
      const number = Number(url.slice(2))
      const waited = 'node_pressure_cpu_waiting_seconds_total 7\n'
      const text = `${exported({ name: `n${number}`, load1: number / 10, cpus: 4 })}${waited}`
      response.writeHead(number > 40 ? 500 : 200).end(text)
    })
    const targets = Array.from({ length: 41 }, (_, index) => ({
      instance: `n${index + 1}:9100`,
      address: `127.0.0.1:${machines.port}`,
      path: `/n${index + 1}`,
    }))
    prometheus = await startPrometheus(targets, { rules: RULES })
    const counted = async () => await prometheus.ask('count(instance:resource_sharing_trit:sign)')
    await vi.waitUntil(async () => (await counted()) === 40, { timeout: 60_000 })
    // Σ of all of them, and a share of time, which takes two looks.
    await vi.waitUntil(async () => (await prometheus.ask('resource_sharing:trit:sum')) === -3, {
      timeout: 60_000,
    })
    const waiting = 'count(rate(node_pressure_cpu_waiting_seconds_total[1m]))'
    await vi.waitUntil(async () => (await prometheus.ask(waiting)) === 40, { timeout: 60_000 })
  }, 200_000)
  afterAll(async () => {
    await prometheus?.close()
    machines?.close()
  })

  test('they are valid, give the same trits, and what they count is not counted anew', async () => {
    expect(await promtool(['check', 'rules', RULES])).toMatchObject({ exitCode: 0 })
    const args = ['--source', `prometheus=${prometheus.url}`, '--timeout', '30', '--json']
    const [all, best] = await Promise.all([
      runScript('mesh-balance', args, bare),
      runScript('find-minus', args, bare),
    ])
    const mesh = JSON.parse(all.stdout)
    expect(mesh.nodes).toHaveLength(41)
    expect(mesh.sum).toBe(await prometheus.ask('resource_sharing:trit:sum'))
    expect(JSON.parse(best.stdout).nodes.map(({ name }: { name: string }) => name)).toEqual([
      'n1',
      'n2',
      'n3',
    ])
  })

  test('every query of the dashboard for Grafana has an answer, with the same trits and Σ', async () => {
    const { panels, templating }: Dashboard = JSON.parse(await readFile(DASHBOARD, 'utf8'))
    const answers = panels.flatMap(({ title, targets }) =>
      targets.map(async ({ expr, legendFormat, refId }) => {
        // As Grafana does for all machines, and a resolution of 15 s.
        const query = expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m')
        expect(query).not.toContain('$')
        const samples = await prometheus.samples(query)
        return [targets.length === 1 ? title : `${title}: ${legendFormat ?? refId}`, samples] as const
      }),
    )
    const found = new Map(await Promise.all(answers))
    expect([...found].filter(([, samples]) => samples.length === 0)).toEqual([])
    const value = (name: string) => found.get(name)?.map((each) => each.value)
    expect(
      Object.fromEntries(
        [...found.keys()].filter((name) => value(name)?.length === 1).map((name) => [name, value(name)?.[0]]),
      ),
    ).toEqual({
      Σ: -3,
      Rule: 2,
      Invariant: 1,
      'Not measured': 1,
      Measured: 40,
      'Machines by trit: PLUS': 8,
      'Machines by trit: ERGODIC': 21,
      'Machines by trit: MINUS': 11,
      'Σ over time': -3,
    })
    const fullest = found.get('Trits of the fullest')
    expect(fullest).toHaveLength(20)
    expect(fullest?.map(({ metric }) => metric.instance)).toContain('n40:9100')
    const listed = templating.list.flatMap(({ definition }) => definition ?? [])
    expect(listed).toEqual([
      expect.stringMatching(/^label_values\(instance:resource_sharing_\w+:\w+, instance\)$/),
    ])
  })
})

type Dashboard = {
  panels: { title: string; targets: { expr: string; refId: string; legendFormat?: string }[] }[]
  templating: { list: { definition?: string }[] }
}

test.skipIf(withoutPromtool)('promtool reads every query of the dashboard', async () => {
  const { panels }: Dashboard = JSON.parse(await readFile(DASHBOARD, 'utf8'))
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  const rules = queries.map((expr, index) => ({
    record: `query:${index}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  }))
  const folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'rules.yml')
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
  expect(await promtool(['check', 'rules', file])).toMatchObject({
    exitCode: 0,
    said: expect.stringContaining(`${queries.length} rules found`),
  })
})
