import { execa } from 'execa'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runScript } from '../run-script.ts'

// A PATH with what the program needs and no tailscale but the stand-in that a test puts there.
let folder = ''
let bare = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  bare = join(folder, 'bin')
  await mkdir(bare)
  const tools = [
    'sh',
    'ssh',
    'nproc',
    'uname',
    'getconf',
    'sed',
    'grep',
    'sleep',
    'cat',
    'date',
    'ps',
    'sysctl',
  ]
  for (const tool of tools) {
    const { stdout } = await execa('sh', ['-c', `command -v ${tool}`], { reject: false })
    if (stdout.startsWith('/')) await symlink(stdout, join(bare, tool))
  }
})
afterAll(() => rm(folder, { recursive: true }))

async function standIn(name: string, script: string): Promise<string> {
  const bin = join(folder, name)
  await mkdir(bin)
  await writeFile(join(bin, 'tailscale'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return `${bin}:${bare}`
}

test('without a tailnet mesh-balance shows this machine alone, and how to add others', async () => {
  const ran = await runScript('mesh-balance', ['--json', '--timeout', '60'], { PATH: bare })
  expect(ran.exitCode).toBe(0)
  expect(ran.stderr).toMatch(/^this machine alone: tailscale is not installed; add others with --hosts/)
  expect(ran.stderr.split('\n')).toHaveLength(1)
  const mesh = JSON.parse(ran.stdout)
  expect(mesh.nodes).toHaveLength(1)
  expect(mesh.nodes[0]).toMatchObject({
    self: true,
    outcome: 'ok',
    ratio: mesh.nodes[0].load1 / mesh.nodes[0].cpus,
  })
  expect(mesh.sum).toBe(mesh.nodes[0].trit)
})

test('a daemon that does not run is no error', async () => {
  const said =
    "failed to connect to local tailscaled; it doesn't appear to be running (sudo systemctl start tailscaled ?)"
  const PATH = await standIn('no-daemon', `echo "${said}" >&2; exit 1`)
  const ran = await runScript('mesh-balance', ['--timeout', '60'], { PATH })
  expect(ran.exitCode).toBe(0)
  expect(ran.stderr).toMatch(/^this machine alone: the tailscale daemon is not running/)
})

test('but the mesh that has shrunk to one machine by it is told under --quiet, in --json, and fails --strict', async () => {
  const PATH = await standIn('dead-daemon', 'echo "failed to connect to local tailscaled" >&2; exit 1')
  const quiet = await runScript('mesh-balance', ['--quiet', '--strict', '--timeout', '60'], { PATH })
  expect(quiet).toMatchObject({ exitCode: 4, stdout: '' })
  expect(quiet.stderr).toMatch(/^this machine alone: the tailscale daemon is not running[^\n]*$/)
  const { stdout } = await runScript('mesh-balance', ['--json', '--timeout', '60'], { PATH })
  expect(JSON.parse(stdout)).toMatchObject({
    from: 'alone',
    warning: expect.stringMatching(/^this machine alone: the tailscale daemon is not running/),
  })
  const none = await runScript('mesh-balance', ['--quiet', '--strict', '--timeout', '60'], { PATH: bare })
  expect(none).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
})

test('where no machine gave a measurement there is no Σ, no rule, and no success', async () => {
  const PATH = await standIn('no-system', 'exit 1')
  await writeFile(join(PATH.split(':')[0] ?? '', 'uname'), '#!/bin/sh\necho Nothing\n', { mode: 0o755 })
  const hosts = ['--hosts', '127.0.0.1:1', '--timeout', '60']
  const table = await runScript('mesh-balance', hosts, { PATH })
  expect(table.exitCode).toBe(1)
  expect(table.stdout).toMatch(/^no machine gave a measurement: there is no Σ, and no rule applies$/m)
  expect(table.stdout).not.toMatch(/Σ =|Rule|balanced/)
  for (const flags of [['--json'], ['--json', '--quiet', '--strict']]) {
    const { stdout, exitCode } = await runScript('mesh-balance', [...hosts, ...flags], { PATH })
    expect(exitCode).toBe(1)
    expect(Object.keys(JSON.parse(stdout))).toEqual(['measuredAt', 'from', 'nodes', 'moves'])
  }
  const plan = await runScript('rebalance', [...hosts, '--quiet'], { PATH })
  expect(plan).toMatchObject({ exitCode: 1, stdout: '' })
  expect(plan.stderr).toMatch(/no machine gave a measurement: nothing can be planned/)
  expect((await runScript('find-minus', hosts, { PATH })).exitCode).toBe(3)
})

test.each([
  [
    'stopped',
    `echo '{"BackendState":"Stopped","Self":null,"Peer":null}'`,
    /^Tailscale is stopped: run `tailscale up`$/,
  ],
  ['logged out', `echo '{"BackendState":"NeedsLogin"}'`, /^Tailscale is logged out: run `tailscale up`$/],
  ['garbage', `printf '\\033[31mhello\\377\\n'`, /^`tailscale status --json` printed something else/],
  [
    'half a document',
    `echo '{"BackendState":"Running","Self":{'`,
    /^`tailscale status --json` printed something else/,
  ],
  [
    'failing',
    `echo 'access denied' >&2; echo more >&2; exit 1`,
    /^`tailscale status` failed: access denied$/,
  ],
  [
    'an app of a Mac',
    `[ "$TAILSCALE_BE_CLI" = 1 ] || sleep 30; echo 'The Tailscale GUI failed to start: no display'; exit 1`,
    /^`tailscale status` failed: The Tailscale GUI failed to start: no display$/,
  ],
  ['hanging', 'sleep 30', /^`tailscale status` gave no answer in time/],
])('a tailscale that is %s ends the run with one line', async (name, script, message) => {
  const PATH = await standIn(name.replaceAll(' ', '-'), script)
  for (const recipe of ['mesh-balance', 'find-minus']) {
    const ran = await runScript(recipe, ['--timeout', name === 'hanging' ? '2' : '20'], { PATH })
    expect(ran.stderr).toMatch(message)
    expect(ran.stderr.split('\n')).toHaveLength(1)
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' })
    expect(ran.seconds).toBeLessThan(10)
  }
})

test('a tailnet of ten thousand peers is read, and those that are offline are not asked', async () => {
  const peer = (index: number) => ({
    DNSName: `n${index}.ts.test.`,
    OS: 'linux',
    TailscaleIPs: [`100.64.${index >> 8}.${index & 255}`],
    sshHostKeys: [`ssh-ed25519 ${'A'.repeat(68)}`, `ssh-rsa ${'A'.repeat(1400)}`],
  })
  const Peer = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`key:${index}`, peer(index + 2)]),
  )
  const status = { BackendState: 'Running', Self: { ...peer(1), Online: true }, Peer }
  await writeFile(join(folder, 'status.json'), JSON.stringify(status))
  const PATH = await standIn('crowd', `cat '${join(folder, 'status.json')}'`)
  const { stdout, exitCode } = await runScript('mesh-balance', ['--json', '--timeout', '60'], { PATH })
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout).nodes).toHaveLength(10_001)
})

test.runIf(process.platform === 'linux')('a terminal that has no width is no endless loop', async () => {
  const command = `stty cols 0 rows 0; exec node cli/start.mjs scripts/mesh-balance.ts --hosts 127.0.0.1:1`
  const ran = await execa('script', ['-qefc', command, '/dev/null'], { reject: false, timeout: 25_000 })
  expect(ran.timedOut).toBe(false)
  expect(ran.stdout).toContain('Connection refused')
})

test('find-minus names nobody where there is nobody else', async () => {
  const ran = await runScript('find-minus', ['--json', '--quiet'], { PATH: bare })
  expect(ran.exitCode).toBe(3)
  expect(JSON.parse(ran.stdout)).toEqual({ nodes: [] })
  expect(ran.stderr).toMatch(/^no other machine could be measured[^\n]*$/)
})

test('a name of this machine is counted once', async () => {
  const ran = await runScript('mesh-balance', ['--hosts', 'localhost,127.0.0.1', '--json'], { PATH: bare })
  expect(JSON.parse(ran.stdout).nodes).toHaveLength(1)
})

test.each([
  ['--exclude', ['--exclude', '127.0.0.1:1'], {}],
  ['the environment', [], { RESOURCE_SHARING_EXCLUDE: '127.0.0.1:1, nobody' }],
] as const)('a machine that %s leaves out is not asked, and no reason to fail', async (_, flags, env) => {
  const asked = ['--hosts', '127.0.0.1:1', '--timeout', '60']
  expect((await runScript('mesh-balance', [...asked, '--strict'], { PATH: bare })).exitCode).toBe(4)
  const ran = await runScript('mesh-balance', [...asked, ...flags, '--strict', '--json'], {
    PATH: bare,
    ...env,
  })
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
  expect(JSON.parse(ran.stdout).nodes).toMatchObject([{ self: true }])
  const quiet = await runScript('mesh-balance', [...asked, ...flags, '--quiet'], { PATH: bare, ...env })
  expect(quiet).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
})

test('who leaves out a machine that there is not is told so', async () => {
  const ran = await runScript('mesh-balance', ['--hosts', 'localhost', '--exclude', 'n9'], { PATH: bare })
  expect(ran).toMatchObject({ exitCode: 0, stderr: '--exclude "n9": no machine of the mesh is called so' })
})

test('node-trit prints two lines', async () => {
  const ran = await runScript('node-trit', ['--window', '100'])
  expect(ran.stdout).toMatch(/^Node trit: (?:\+1|0|-1)\nSCUM processes: \d+$/)
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
})

test('node-trit --bare prints the trit, the same that --json has', async () => {
  const ran = await runScript('node-trit', ['--bare'])
  expect(ran.stdout).toMatch(/^(?:\+1|0|-1)$/)
  const { trit, load1, cpus, ratio } = JSON.parse((await runScript('node-trit', ['--json'])).stdout)
  expect([ratio, trit]).toEqual([load1 / cpus, load1 / cpus > 0.8 ? 1 : load1 / cpus < 0.3 ? -1 : 0])
})

test('a pipe gets no escape codes, unless they are forced', async () => {
  const escape = /\u001B/
  expect((await runScript('mesh-balance', ['--timeout', '60'], { PATH: bare })).stdout).not.toMatch(escape)
  expect(
    (await runScript('mesh-balance', ['--timeout', '60'], { PATH: bare, FORCE_COLOR: '1' })).stdout,
  ).toMatch(escape)
})

test('a reader that closes the pipe early is no error', async () => {
  const ran = await execa('sh', ['-c', 'node_modules/.bin/just node-trit --window 100 | head -0'], {
    reject: false,
  })
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
})

test.runIf(process.platform === 'linux' && availableParallelism() > 1)(
  'under an affinity mask the load is that of all CPUs, and so are the CPUs; what may be used stands beside them',
  async () => {
    const root = new URL('../..', import.meta.url).pathname
    const args = [`${root}cli/start.mjs`, 'scripts/mesh-balance.ts']
    const options = { env: { OMP_NUM_THREADS: '1' } }
    const asked = ['--hosts', 'localhost', '--timeout', '60']
    const free = await execa('node', [...args, ...asked, '--json'], options)
    const masked = await execa('taskset', ['-c', '0', 'node', ...args, ...asked, '--json'], options)
    const [all, one] = [free, masked].map(({ stdout }) => JSON.parse(stdout).nodes[0])
    expect(all).not.toHaveProperty('usableCpus')
    expect(one).toMatchObject({ cpus: all.cpus, usableCpus: 1 })
    const table = await execa('taskset', ['-c', '0', 'node', ...args, ...asked], options)
    expect(table.stdout).toMatch(/here 1 of them may be used: affinity mask/)
  },
)
