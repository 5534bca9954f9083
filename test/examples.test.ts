import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runAlert } from '../lib/monitor/alert-run.ts'
import { metrics } from '../lib/monitor/metrics.ts'
import { meshSite } from '../lib/show/page/site.ts'
import { startServer } from '../verbs/web/server.ts'
import { freePort } from './free-port.ts'
import { AMesh, failed, measured } from './lib/show/page/a-mesh.ts'
import { promtool, withoutPrometheus, withoutPromtool } from './promtool.ts'
import { runScript } from './run-script.ts'

const ROOT = join(import.meta.dirname, '..')
const PLACE = '/path/to/resource-sharing'
const ALERT = 'examples/alert.sh'
const RULES = 'examples/prometheus-rules.yml'
const SCRAPING = 'examples/prometheus.yml'
const PAGE_UNIT = 'examples/systemd/resource-sharing-watch.service'
const UNITS = ['examples/systemd/resource-sharing.service', 'examples/systemd/resource-sharing.timer']

const read = (path: string) => readFile(join(ROOT, path), 'utf8')

let folder = ''
let bin = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  bin = join(folder, 'bin')
  await mkdir(bin)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function standIn(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

test('every example is in their README, and in this file', async () => {
  const entries = await readdir(join(ROOT, 'examples'), { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && entry.name !== 'README.md')
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + '/examples/'.length))
  const rows = [...(await read('examples/README.md')).matchAll(/^\| `([^`]+)`/gm)]
  expect(rows.map(([, name = '']) => name).toSorted()).toEqual(files.toSorted())
  const tests = await read('test/examples.test.ts')
  expect(files.filter((name) => !tests.includes(`examples/${name}`))).toEqual([])
})

test('hosts.txt: each of its machines is asked, as the user and at the port that it says', async () => {
  // Runs here what a machine was to be told, and writes down which one that was.
  await standIn(
    'ssh',
    `user= port= host=
    while [ $# -gt 1 ]; do
      case $1 in -G) exit 0 ;; -l) user=$2 ;; -p) port=$2 ;; --) host=$2 ;; esac
      shift
    done
    echo "$user $port $host" >>"$ASKED"
    exec sh -c "$1"`,
  )
  const asked = join(folder, 'asked')
  const ran = await runScript(
    'mesh-balance',
    ['--hosts-file', join(ROOT, 'examples/hosts.txt'), '--json', '--timeout', '60'],
    { PATH: `${bin}:/usr/bin:/bin`, HOME: folder, ASKED: asked },
  )
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
  const { nodes }: { nodes: { self: boolean; name: string; outcome: string }[] } = JSON.parse(ran.stdout)
  const others = nodes.filter(({ self }) => !self).map(({ name, outcome }) => `${name} ${outcome}`)
  expect(others.toSorted()).toEqual(['192.0.2.7 ok', '2001-db8--7 ok', 'n1 ok', 'n2 ok', 'n3 ok'])
  expect((await readFile(asked, 'utf8')).trimEnd().split('\n').toSorted()).toEqual([
    '  192.0.2.7',
    '  n1',
    ' 2222 2001:db8::7',
    'operator  n2',
    'operator 2222 n3',
  ])
})

test('crontab: each line runs under cron’s environment, and those that are to be silent are', async () => {
  const text = (await read('examples/crontab')).replaceAll(PLACE, ROOT)
  const path = /^PATH=(.*)$/m.exec(text)?.[1]?.replace('/folder/of/node', dirname(process.execPath)) ?? ''
  const lines = text.split('\n').filter((line) => /^[^#\s]+ /.test(line))
  expect(lines).toHaveLength(4)
  const env = {
    HOME: folder,
    LOGNAME: 'me',
    SHELL: '/bin/sh',
    PATH: path,
    // Of this machine alone, whatever mesh it belongs to.
    RESOURCE_SHARING_HOSTS: 'localhost',
  }
  for (const line of lines) {
    const match = /^((?:(?:\*|\d+|\d+-\d+)(?:\/\d+)? ){5})([^%]+)$/.exec(line)
    // What this machine is busy with is the tests' own: what would be done with it is only told.
    const whole = match?.[2] ?? expect.fail(line)
    const run = (command: string) =>
      execa('/bin/sh', ['-c', command], {
        env,
        extendEnv: false,
        cwd: folder,
        stdin: 'ignore',
        reject: false,
      })
    const ran = await run(whole.replace(' --apply --yes', ''))
    // An option that there is not would be refused before this one is obeyed.
    expect(await run(`${whole} --help`), line).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ran, line).toMatchObject({ exitCode: 0, stderr: '' })
    if (line.endsWith(' mesh-balance')) expect(ran.stdout).toMatch(/^NODE /)
    else if (!line.includes('rebalance')) expect([line, ran.stdout]).toEqual([line, ''])
  }
})

test('crontab: the line that the README of the program shows is one of these', async () => {
  const shown = /^ {4}(\*\/5 .* mesh-balance --quiet)$/m.exec(await read('README.md'))?.[1]
  expect((await read('examples/crontab')).split('\n')).toContain(shown)
})

const LOAD = { load1: 3.5, cpus: 2, ratio: 1.75 }
test.each([
  ['overloaded', { ...LOAD, trit: 1 } as const, 'Its load is 3.5 on 2 CPUs: trit +1.\n'],
  ['unmeasured', { reason: 'no /proc' }, 'It could not be measured: no /proc\n'],
])('alert.sh: a machine that is %s is told of by mail', async (event, seen, letter) => {
  await standIn('mail', 'printf "%s\\n" "$@" >"$MAILED"; cat >>"$MAILED"')
  const mailed = join(folder, 'mailed')
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`)
  vi.stubEnv('XDG_STATE_HOME', folder)
  vi.stubEnv('MAILED', mailed)
  vi.stubEnv('ALERT_TO', 'me@example.invalid')
  const alert = { command: join(ROOT, ALERT), forRuns: 1 }
  const { signal } = new AbortController()
  const { stdout: machine } = await execa('uname', ['-n'])
  const mail = (what: string, text: string) => `-s\n${machine}: ${what}\nme@example.invalid\n${text}`
  await runAlert(alert, seen, { signal })
  expect(await readFile(mailed, 'utf8')).toBe(mail(event, letter))
  await runAlert(alert, { ...LOAD, load1: 1, ratio: 0.5, trit: 0 }, { signal })
  expect(await readFile(mailed, 'utf8')).toBe(mail('recovered', 'Its load is 1 on 2 CPUs: trit 0.\n'))
})

test('alert.sh: a letter that can’t be sent is tried again', async () => {
  await standIn('mail', 'cat >/dev/null; echo no mail today >&2; exit 1')
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`)
  vi.stubEnv('XDG_STATE_HOME', folder)
  const { signal } = new AbortController()
  const alert = { command: join(ROOT, ALERT), forRuns: 1 }
  for (let turn = 0; turn < 2; turn += 1)
    await expect(runAlert(alert, { reason: 'x' }, { signal })).rejects.toThrow(
      'no mail today; the next run tries again',
    )
})

test('prometheus-rules.yml: its metrics are those that are written', async () => {
  const process = { pid: 1, command: 'x', cpuPercent: 100, memPercent: 0, runtimeHours: 0 }
  const written = metrics({ trit: 1, ratio: 1, scumProcesses: 1, processes: [process] })
  const asked = [...(await read(RULES)).matchAll(/\bresource_sharing_\w+/g)].map(([name]) => name)
  expect(asked.length).toBeGreaterThan(0)
  expect(asked.filter((name) => !written.includes(`\n${name} `))).toEqual([])
})

// Series from 0 to 60 minutes: n1 is overloaded for 30 of them, n2 is balanced, and nobody writes n2's file any more.
const RULES_TEST = `rule_files: [${join(ROOT, RULES)}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: 'resource_sharing_node_trit{instance="n1"}', values: '1x30 -1x30' }
      - { series: 'resource_sharing_node_trit{instance="n2"}', values: '0x60' }
      - { series: 'node_textfile_mtime_seconds{instance="n1",file="/f/resource-sharing.prom"}', values: '0+60x60' }
      - { series: 'node_textfile_mtime_seconds{instance="n2",file="/f/resource-sharing.prom"}', values: '0x60' }
      - { series: 'node_textfile_mtime_seconds{instance="n1",file="/f/other.prom"}', values: '0x60' }
    alert_rule_test:
      - { eval_time: 14m, alertname: MachineOverloaded }
      - eval_time: 16m
        alertname: MachineOverloaded
        exp_alerts:
          - exp_labels: { instance: n1, severity: warning }
            exp_annotations:
              summary: n1 has been overloaded for 15 minutes
              description: '\`just scum-view --host NAME\` tells which processes are to blame.'
      - { eval_time: 32m, alertname: MachineOverloaded }
      - { eval_time: 29m, alertname: NoMachineHasRoom }
      - eval_time: 30m
        alertname: NoMachineHasRoom
        exp_alerts:
          - exp_labels: { severity: warning }
            exp_annotations:
              summary: No machine of the mesh has had room for 30 minutes
              description: '\`just rebalance\` has nowhere to move work to.'
      - { eval_time: 32m, alertname: NoMachineHasRoom }
      - { eval_time: 15m, alertname: MachineNotMeasured }
      - eval_time: 16m
        alertname: MachineNotMeasured
        exp_alerts:
          - exp_labels: { instance: n2, severity: warning, file: /f/resource-sharing.prom }
            exp_annotations:
              summary: n2 has not been measured for 15 minutes
              description: '\`just node-trit\` there says why; \`just cron-show\` whether cron runs it.'
`

test.skipIf(withoutPromtool)('prometheus-rules.yml: each alert comes when it is to, and ends', async () => {
  expect(await promtool(['check', 'rules', join(ROOT, RULES)])).toMatchObject({
    exitCode: 0,
    said: expect.stringContaining('SUCCESS: 3 rules found'),
  })
  const file = join(folder, 'rules-test.yml')
  await writeFile(file, RULES_TEST)
  expect(await promtool(['test', 'rules', file])).toMatchObject({
    exitCode: 0,
    said: expect.stringContaining('SUCCESS'),
  })
})

test('systemd: the units are those that cron-install prints, but for the paths', async () => {
  const alert = `--alert=${join(ROOT, ALERT)}`
  const { stdout } = await runScript('cron-install', ['--systemd', '--json', alert])
  const { units }: { units: { name: string; text: string }[] } = JSON.parse(stdout)
  expect(units.map(({ name }) => `examples/systemd/${name}`)).toEqual(UNITS)
  for (const [index, unit] of UNITS.entries())
    expect(
      units[index]?.text
        .replaceAll(ROOT, PLACE)
        .replace(/^ExecStart=\S+\/node /m, 'ExecStart=/usr/bin/node '),
    ).toBe(await read(unit))
})

test.skipIf(withoutPrometheus)(
  'prometheus.yml: Prometheus gets each machine of the mesh as an instance',
  async () => {
    const mesh = new AMesh(
      measured('n1', 1, 4, { self: true }),
      measured('n2', 7, 4),
      failed('n3', 'no route'),
    )
    const site = await meshSite(mesh, () => ({ migrations: [], jobs: [] }))
    const rules = { names: new Set<string>(), owner: undefined, whoIs: async () => undefined }
    const serving = await startServer(site, { listen: ['127.0.0.1'], port: 0, rules })
    const config = (await read(SCRAPING)).replace('n1:8642', `127.0.0.1:${serving.port}`)
    await writeFile(join(folder, 'prometheus.yml'), `global: { scrape_interval: 1s }\n${config}`)
    expect(await promtool(['check', 'config', join(ROOT, SCRAPING)])).toMatchObject({ exitCode: 0 })
    const port = await freePort()
    const prometheus = execa(
      'prometheus',
      ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`],
      { cwd: folder, reject: false, forceKillAfterDelay: 5000 },
    )
    const trits = async () => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=resource_sharing_node_trit`
      const text = await fetch(url).then(
        async (response) => await response.text(),
        () => '{"data":{"result":[]}}',
      )
      const { data }: Vector = JSON.parse(text)
      return data.result
        .map(({ metric, value }) => `${metric.instance} ${metric.host} ${value[1]}`)
        .toSorted()
    }
    await expect.poll(trits, { timeout: 60_000 }).toEqual(['n1 undefined -1', 'n2 undefined 1'])
    prometheus.kill()
    await prometheus
    await serving.close()
  },
)
type Vector = { data: { result: { metric: Record<string, string>; value: [number, string] }[] } }

test('systemd: the service of the page starts a recipe, with options that there are', async () => {
  const [, script = '', words = ''] =
    /^ExecStart=\S+ \S+ scripts\/(\S+)\.ts (.*)$/m.exec(await read(PAGE_UNIT)) ?? []
  expect(await runScript(script, [...words.split(' '), '--help'])).toMatchObject({ exitCode: 0, stderr: '' })
})

const analyze = await execa('systemd-analyze', ['--version'], { reject: false })

test.skipIf(analyze.failed)('systemd: the units are accepted', async () => {
  const everyUnit = [...UNITS, PAGE_UNIT]
  const paths = everyUnit.map((unit) => join(folder, unit.slice('examples/systemd/'.length)))
  for (const [index, unit] of everyUnit.entries()) {
    const text = (await read(unit)).replaceAll(PLACE, ROOT).replace('/usr/bin/node', process.execPath)
    await writeFile(paths[index] ?? '', text)
  }
  const { all } = await execa('systemd-analyze', ['verify', '--user', '--man=no', ...paths], {
    env: { XDG_RUNTIME_DIR: folder },
    all: true,
    reject: false,
  })
  expect(all).not.toContain('resource-sharing')
})
