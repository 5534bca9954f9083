import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openLab, type Lab } from '../lab/lab.ts'

const TIMEOUT_S = 10
const Mesh = z.object({
  measuredAt: z.iso.datetime(),
  nodes: z.array(
    z.object({
      name: z.string(),
      address: z.string(),
      os: z.string(),
      self: z.boolean(),
      outcome: z.string(),
      reason: z.string().optional(),
      load1: z.number().optional(),
      cpus: z.number().optional(),
      ratio: z.number().optional(),
      trit: z.number().optional(),
      connection: z.object({ trit: z.number(), via: z.string() }).optional(),
    }),
  ),
  sum: z.number(),
  invariantHolds: z.boolean(),
  rule: z.number(),
  moves: z.array(z.object({ from: z.string(), to: z.string() })),
})

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'mesh', hosts: 12 })
  const loads: [string, number, number][] = [
    ['n1', 1.2, 2],
    ['n2', 4, 64],
    ['n3', 1, 1],
    ['n4', 1, 2],
    ['n10', 1, 1],
    ['n11', 7, 4],
    ['n12', 2.4, 3],
  ]
  for (const [node, load1, cpus] of loads) {
    await lab.setCpus(node, cpus)
    await lab.setLoad(node, load1)
  }
  await lab.chattyBashrc('n4')
  await lab.mac('n5')
  await lab.setLoad('n5', 0.5)
  await lab.tailscaleDown('n6')
  await lab.stopSshd('n7')
  await lab.hangSshd('n8')
  await lab.rejectKey('n9')
  const remember = ['-o', 'StrictHostKeyChecking=accept-new', '-o', 'HostKeyAlias=n10.ts.test']
  await lab.exec('n1', ['ssh', ...remember, tailnetIp('n10'), 'true'])
  await lab.changeHostKey('n10')
  const status = async () => (await lab.exec('n1', ['tailscale', 'status', '--json'])).stdout
  await vi.waitUntil(async () => /"HostName": "n6",[^}]*"Online": false/.test(await status()), {
    timeout: 60_000,
  })
})
afterAll(() => lab?.close())

function tailnetIp(node: string): string {
  return lab.nodes.find(({ name }) => name === node)?.tailnetIp ?? ''
}

/** A recipe on n1, as a user of that machine runs it. */
async function just(
  args: string[],
  options: { env?: Record<string, string>; user?: 'root' | 'operator' } = {},
) {
  const began = performance.now()
  const ran = await lab.exec('n1', ['just', ...args], { cwd: '/srv/resource-sharing', ...options })
  return { ...ran, seconds: (performance.now() - began) / 1000 }
}

async function meshOf(args: string[] = [], env: Record<string, string> = {}) {
  const ran = await just(['mesh-balance', '--json', '--timeout', String(TIMEOUT_S), ...args], { env })
  return { ...ran, mesh: Mesh.parse(JSON.parse(ran.stdout)) }
}

// First, while no connection has been kept by an earlier run.
test('Ctrl-C leaves no ssh, no master and no session on either side', async () => {
  // timeout(1) gives all of its group what it gets, as a terminal does.
  const command = 'timeout 60 just mesh-balance --timeout 30; exit $?'
  const { process } = await lab.spawn('n1', ['sh', '-c', command], { cwd: '/srv/resource-sharing' })
  // It waits for the hanging host only: the others have answered and their connections are kept.
  const kept = async () => (await lab.exec('n1', ['find', '/tmp/resource-sharing-0', '-type', 's'])).stdout
  await expect.poll(async () => (await kept()).split('\n').length).toBeGreaterThan(5)
  await lab.exec('n1', ['pkill', '-INT', '-x', '-o', 'timeout'])
  const { exitCode, stderr, stdout } = await process
  expect([exitCode, stdout]).toEqual([130, ''])
  expect(stderr).toMatch(/^interrupted$/m)
  const ssh = await lab.exec('n1', ['ps', '-e', '-o', 'args'])
  expect(ssh.stdout.split('\n').filter((line) => /(^|\/)ssh\b(?!d)/.test(line))).toEqual([])
  expect(await kept()).toBe('')
  await expect
    .poll(async () => (await lab.exec('n2', ['ps', '-e', '-o', 'args'])).stdout, { timeout: 5000 })
    .not.toMatch(/notty|sh -s/)
})

test('DEBUG=resource-sharing shows the command lines of ssh, and one of them can be run again', async () => {
  const { stderr } = await just(['mesh-balance', '--timeout', '60'], { env: { DEBUG: 'resource-sharing' } })
  const lines = stderr.split('\n').filter((line) => line.startsWith('+ ssh ') && line.includes(' -- n2'))
  expect(lines).toEqual([expect.stringContaining(`HostName=${tailnetIp('n2')}`)])
  expect(lines[0]).toMatch(/KexAlgorithms=\^(?:mlkem768x25519-sha256,)?curve25519-sha256/)
  const again = await lab.exec('n1', ['sh', '-c', lines[0]?.slice(2) ?? ''], { input: 'uname -n\n' })
  expect(again.stdout.trim()).toBe('n2')
})

test('at a terminal the rows of those that have answered are seen while one that does not is waited for', async () => {
  const command = 'stty cols 120 rows 40; exec just mesh-balance --hosts n2.lan,n3.lan,n8.lan --timeout 10'
  await lab.trustLan('n1')
  const { process: child } = await lab.spawn('n1', ['script', '-qefc', command, '/dev/null'], {
    cwd: '/srv/resource-sharing',
  })
  let seen = ''
  child.stdout.on('data', (chunk: Buffer) => (seen += String(chunk)))
  const shows = (row: RegExp) => expect.poll(() => seen, { timeout: 9000, interval: 50 }).toMatch(row)
  await shows(/n2\.lan +-1 MINUS/)
  await shows(/n3\.lan +\+1 PLUS/)
  expect(seen).not.toMatch(/Σ|n8/)
  expect((await child).stdout).toMatch(/n8\.lan +timeout[\s\S]*Σ = /)
})

test('each host has the outcome that fits it, and only a measured one has a trit', async () => {
  const { mesh, exitCode, stderr, seconds } = await meshOf()
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(seconds).toBeLessThan(TIMEOUT_S + 1)
  const found = mesh.nodes
    .map(({ name, outcome, trit }) => [name, outcome, trit ?? 'none'].join(' '))
    .toSorted()
  expect(found).toEqual(
    [
      'n1 ok 0',
      'n2 ok -1',
      'n3 ok 1',
      'n4 ok 0',
      'n5 ok -1',
      'n6 offline none',
      'n7 unreachable none',
      'n8 timeout none',
      'n9 auth none',
      'n10 host-key none',
      'n11 ok 1',
      'n12 ok 0',
    ].toSorted(),
  )
  expect(mesh).toMatchObject({ sum: 0, invariantHolds: true, rule: 3, moves: [] })
  expect(mesh.nodes.find(({ self }) => self)?.name).toBe('n1')
  expect(mesh.nodes.find(({ name }) => name === 'n5')).toMatchObject({ os: 'linux', load1: 0.5, cpus: 8 })
  const reasons = Object.fromEntries(mesh.nodes.map(({ name, reason }) => [name, reason]))
  expect(reasons).toMatchObject({
    n7: expect.stringMatching(/Connection refused$/),
    n8: expect.stringMatching(/timed out|no answer/),
    n9: expect.stringMatching(/Permission denied \(publickey/),
    n10: expect.stringMatching(/^Host key for n10\.ts\.test has changed .*`ssh-keygen -R 'n10\.ts\.test'`$/),
  })
})

test('the table names every host once, fits a pipe without escape codes, and says what to do', async () => {
  const { stdout, exitCode } = await just(['mesh-balance', '--connections'])
  expect(exitCode).toBe(0)
  expect(stdout).not.toMatch(/\u001B/)
  for (const { name } of lab.nodes)
    expect(stdout.match(new RegExp(`^${name}(?: \\(here\\))? `, 'gm'))).toHaveLength(1)
  expect(stdout).toMatch(/^n2 +-1 MINUS +\+1 direct 10\.99\.0\.12:41641 +4\.00 +64 +0\.06 /m)
  expect(stdout).toMatch(/^Rule 3: balanced, nothing to do$/m)
})

test('--quiet speaks when a machine is overloaded and another has room, whatever the rule', async () => {
  await lab.trustLan('n1')
  const { stdout } = await just(['mesh-balance', '--quiet', '--hosts', '10.99.0.12,10.99.0.13'])
  expect(stdout).toMatch(/10\.99\.0\.13 is PLUS all the same, and 10\.99\.0\.12 has room/)
  expect((await just(['mesh-balance', '--quiet', '--hosts', '10.99.0.12'])).stdout).toBe('')
})

test('--strict tells by its exit code that a host gave no measurement', async () => {
  expect((await just(['mesh-balance', '--strict', '--quiet'])).exitCode).toBe(4)
})

test('find-minus ranks 4.0 on 64 CPUs before 1.0 on 1, and names nobody without a measurement', async () => {
  const { stdout, exitCode } = await just(['find-minus', '-n', '20'])
  expect(exitCode).toBe(0)
  expect(stdout.split('\n').map((line) => line.replace(/  .*/, ''))).toEqual([
    'n2: 4.00',
    'n5: 0.50',
    'n4: 1.00',
    'n12: 2.40',
    'n3: 1.00',
    'n11: 7.00',
  ])
})

test('find-minus | head -1 | cut -d: -f1 is the name of the best host', async () => {
  const command = 'just find-minus | head -1 | cut -d: -f1'
  const ran = await lab.exec('n1', ['bash', '-o', 'pipefail', '-c', command], {
    cwd: '/srv/resource-sharing',
  })
  expect(ran).toMatchObject({ stdout: 'n2', stderr: '' })
})

test('find-minus --only-minus --json has just the hosts with trit -1, best first', async () => {
  const { stdout } = await just(['find-minus', '--only-minus', '--json'])
  const { nodes } = JSON.parse(stdout)
  expect(nodes).toEqual([
    { name: 'n2', address: tailnetIp('n2'), load1: 4, cpus: 64, ratio: 4 / 64, trit: -1 },
    { name: 'n5', address: tailnetIp('n5'), load1: 0.5, cpus: 8, ratio: 0.5 / 8, trit: -1 },
  ])
})

test('a user who is not root needs nothing more than to be let in by ssh', async () => {
  const { stdout, stderr } = await just(['find-minus', '-n', '1'], { user: 'operator' })
  expect([stdout, stderr]).toEqual([expect.stringMatching(/^n2: 4\.00 /), ''])
})

test('a kept connection to a host that was restarted does not make it unreachable', async () => {
  await lab.killHost('n4')
  await lab.bootHost('n4')
  await expect
    .poll(async () => (await meshOf()).mesh.nodes.find(({ name }) => name === 'n4')?.outcome, {
      timeout: 60_000,
    })
    .toBe('ok')
})

test("a host that prints without end spoils nobody else's answer", async () => {
  await lab.exec('n12', ['sh', '-c', 'cp .bashrc .bashrc.kept; echo "yes | head -c 60000000" >.bashrc'])
  const { mesh, seconds } = await meshOf()
  await lab.exec('n12', ['mv', '.bashrc.kept', '.bashrc'])
  const outcomes = Object.fromEntries(mesh.nodes.map(({ name, outcome }) => [name, outcome]))
  expect(outcomes).toMatchObject({ n2: 'ok', n3: 'ok', n11: 'ok', n12: 'bad-output' })
  expect(seconds).toBeLessThan(TIMEOUT_S + 1)
})

test('what the person tells ssh to ignore is ignored, as where they type ssh', async () => {
  const config = 'IgnoreUnknown UseKeychain,Other\nUseKeychain yes\nHost *\n  Other 1\n'
  await lab.exec('n1', ['sh', '-c', 'cat >~/.ssh/config'], { input: config })
  const { mesh } = await meshOf()
  await lab.exec('n1', ['rm', '.ssh/config'])
  expect(mesh.nodes.filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(2)
})

test('sections for the short name, for the DNS name and for the address all apply, the short name’s first', async () => {
  const ip = tailnetIp('n12')
  const config = [
    'Host n2\n  User operator\n  IdentityFile ~/.ssh/id_ed25519',
    'Host *.ts.test\n  User nobody-of-this-name\n  IdentityFile "~/.ssh/none of this name"',
    `Host ${ip.replace(/\d$/, '*')}\n  User root`,
    `Host ${ip}\n  Port 1`,
  ]
  const asked = async (sections: string[]) => {
    await lab.exec('n1', ['sh', '-c', 'cat >~/.ssh/config'], { input: `${sections.join('\n')}\n` })
    const { mesh } = await meshOf()
    await lab.exec('n1', ['rm', '.ssh/config'])
    return Object.fromEntries(mesh.nodes.map(({ name, outcome }) => [name, outcome]))
  }
  expect(await asked(config.slice(0, 2))).toMatchObject({ n2: 'ok', n3: 'auth', n12: 'auth' })
  expect(await asked(config.slice(2, 3))).toMatchObject({ n2: 'ok', n3: 'ok', n12: 'ok' })
  expect(await asked(config.slice(3))).toMatchObject({ n2: 'ok', n3: 'ok', n12: 'unreachable' })
})

test('those that a bastion turns away because they come at once come again', async () => {
  const crowd =
    'sed -i /MaxStartups/d /etc/ssh/sshd_config; echo "MaxStartups 1:100:1" >>/etc/ssh/sshd_config'
  const reload = 'pkill -HUP -o sshd'
  await lab.exec('n12', ['sh', '-c', `${crowd}; ${reload}`])
  const config = `Host n*.lan\n  StrictHostKeyChecking accept-new\nHost *.lan !n12.lan\n  ProxyJump n12.lan\n`
  await lab.exec('n1', ['sh', '-c', 'cat >~/.ssh/config'], { input: config })
  const { mesh } = await meshOf(['--hosts', 'n2.lan,n3.lan,n4.lan,n11.lan', '--timeout', '30'])
  await lab.exec('n1', ['rm', '.ssh/config'])
  await lab.exec('n12', ['sh', '-c', `sed -i /MaxStartups/d /etc/ssh/sshd_config; ${reload}`])
  expect(mesh.nodes.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
})

test('a host that greets without end, a line now and then, is shown with what it prints', async () => {
  const slow = 'while :; do echo so much to say; sleep 0.3; done'
  await lab.exec('n12', ['sh', '-c', `cp .bashrc .bashrc.kept; echo '${slow}' >.bashrc`])
  const { mesh } = await meshOf()
  await lab.exec('n12', ['mv', '.bashrc.kept', '.bashrc'])
  expect(mesh.nodes.find(({ name }) => name === 'n12')).toMatchObject({
    outcome: 'timeout',
    reason: expect.stringMatching(/^no answer within \d+\.\d s, only: so much to say$/),
  })
})

test('hosts that a person names are reached by their own configuration', async () => {
  await lab.exec('n1', [
    'sh',
    '-c',
    'printf "Host box\\n  HostName 10.99.0.12\\n  User operator\\n" >~/.ssh/config',
  ])
  const accept = 'printf "Host *\\n  StrictHostKeyChecking accept-new\\n" >>~/.ssh/config'
  await lab.exec('n1', ['sh', '-c', accept])
  const { mesh } = await meshOf(['--hosts', 'box,operator@10.99.0.13:22,n1'])
  expect(mesh.nodes.map(({ name, outcome, trit }) => [name, outcome, trit])).toEqual([
    ['10.99.0.13', 'ok', 1],
    ['n1', 'ok', 0],
    ['box', 'ok', -1],
  ])
  await lab.exec('n1', ['rm', '.ssh/config'])
})

test('a name that a host gives itself is never an option, a command, or taken for another host', async () => {
  await lab.tailscaleHostname('n11', 'twin')
  await lab.tailscaleHostname('n12', 'twin')
  const swap = 's/"HostName": "n3"/"HostName": "-oProxyCommand=touch \\/tmp\\/owned"/'
  const script = `#!/bin/sh\nPATH=\${PATH#*:}\ntailscale "$@" | sed '${swap}'\n`
  await lab.exec(
    'n1',
    ['sh', '-c', 'mkdir -p /run/hostile && cat >/run/hostile/tailscale && chmod +x /run/hostile/tailscale'],
    {
      input: script,
    },
  )
  const path = '/run/hostile:/usr/local/bin:/usr/bin:/bin:/srv/resource-sharing/node_modules/.bin'
  expect(
    (await lab.exec('n1', ['/run/hostile/tailscale', 'status', '--json'], { env: { PATH: path } })).stdout,
  ).toMatch(/"HostName": "-oProxyCommand=touch/)
  await expect
    .poll(async () => (await meshOf([], { PATH: path })).mesh.nodes.map(({ name }) => name), {
      timeout: 60_000,
    })
    .toEqual(expect.arrayContaining(['twin']))
  const { mesh } = await meshOf([], { PATH: path })
  const names = mesh.nodes.map(({ name }) => name)
  expect(new Set(names).size).toBe(12)
  expect(mesh.nodes.filter(({ name }) => name.startsWith('twin')).map(({ outcome }) => outcome)).toEqual([
    'ok',
    'ok',
  ])
  expect(mesh.nodes.find(({ name }) => name === 'n3')).toMatchObject({ outcome: 'ok', trit: 1 })
  expect((await lab.exec('n1', ['ls', '/tmp/owned'])).exitCode).not.toBe(0)
})

test('host keys that the coordination server vouches for are believed, and no others', async () => {
  const key = async (node: string) => {
    const { stdout } = await lab.exec(node, ['cat', '/etc/ssh/ssh_host_ed25519_key.pub'])
    return stdout.split(' ').slice(0, 2).join(' ')
  }
  // n2 is announced with its own key, n4 with n2's.
  const announced = await key('n2')
  const add = (node: string) => `s#"DNSName": "${node}.ts.test."#"sshHostKeys": ["${announced}"], &#`
  const script = `#!/bin/sh\nPATH=\${PATH#*:}\ntailscale "$@" | sed -e '${add('n2')}' -e '${add('n4')}'\n`
  const place = 'mkdir -p /run/keys && cat >/run/keys/tailscale && chmod +x /run/keys/tailscale'
  await lab.exec('n1', ['sh', '-c', place], { input: script })
  const forget =
    'rm -f ~/.ssh/known_hosts; for each in /tmp/resource-sharing-1000/*; do ssh -F none -O exit -o ControlPath=$each x; done'
  await lab.exec('n1', ['sh', '-c', forget], { user: 'operator' })
  const env = { PATH: '/run/keys:/usr/local/bin:/usr/bin:/bin:/srv/resource-sharing/node_modules/.bin' }
  const { stdout } = await just(['mesh-balance', '--json'], { env, user: 'operator' })
  const outcomes = Object.fromEntries(
    Mesh.parse(JSON.parse(stdout)).nodes.map(({ name, outcome }) => [name, outcome]),
  )
  expect(outcomes).toMatchObject({ n2: 'ok', n4: 'host-key', n5: 'ok' })
})

test('scum-view looks at another host, and at all of them, a Mac included', async () => {
  await lab.exec('n2', [
    'sh',
    '-c',
    // Before what else this machine runs: it has to be seen to spin.
    'setsid sh -c "echo -20 >/proc/self/autogroup; while :; do :; done" </dev/null >/dev/null 2>&1 & echo $! >/tmp/spinner',
  ])
  const one = await just(['scum-view', '--host', 'n2', '--json', '-n', '1', '--timeout', '25'])
  const all = await just(['scum-view', '--mesh', '--json', '-n', '1', '--timeout', '25'])
  await lab.exec('n2', ['sh', '-c', 'kill -9 $(cat /tmp/spinner)'])
  expect(JSON.parse(one.stdout).nodes).toMatchObject([
    { name: 'n2', processes: [{ command: 'sh', user: 'root', inScumClass: true }] },
  ])
  const { nodes }: { nodes: { name: string; trit: number }[] } = JSON.parse(all.stdout)
  expect(nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(['n1', 'n2', 'n4', 'n5']))
  expect(all.stderr).toMatch(/^n7: unreachable: /m)
  expect(await just(['scum-view', '--host', 'n99'])).toMatchObject({ exitCode: 2, stdout: '' })
  expect((await just(['scum-view', '--host', 'n7'])).stderr).toMatch(/^n7: unreachable: /)
})

test('a real tailscale that is stopped, logged out or not running says what to do', async () => {
  const on2 = () => lab.exec('n2', ['just', 'mesh-balance'], { cwd: '/srv/resource-sharing' })
  await lab.tailscaleDown('n2')
  expect(await on2()).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: 'Tailscale is stopped: run `tailscale up`',
  })
  await lab.tailscaleUp('n2')
  await lab.logout('n2')
  expect(await on2()).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: 'Tailscale is logged out: run `tailscale up`',
  })
  await lab.tailscaleUp('n2')
  await lab.tailscaledStop('n2')
  const alone = await on2()
  expect([alone.exitCode, alone.stdout]).toEqual([0, expect.stringMatching(/^n2 \(here\) /m)])
  expect(alone.stderr).toMatch(/^this machine alone: the tailscale daemon is not running; [^\n]*$/)
  await lab.tailscaledStart('n2')
})

test('cron runs it with its bare PATH and no terminal', async () => {
  const command = '/srv/resource-sharing/node_modules/.bin/just --justfile /srv/resource-sharing/justfile'
  const lines = [
    `* * * * * PATH=$PATH:/usr/local/bin; ${command} mesh-balance --json >/tmp/mesh.part 2>/tmp/mesh.errors; mv /tmp/mesh.part /tmp/mesh.json`,
    `* * * * * /usr/local/bin/node /srv/resource-sharing/cli/start.mjs scripts/node-trit.ts --quiet >/tmp/trit.out 2>&1`,
  ]
  await lab.setLoad('n2', 0.1)
  await lab.exec('n2', ['crontab', '-'], { input: `${lines.join('\n')}\n` })
  await expect
    .poll(async () => (await lab.exec('n2', ['cat', '/tmp/mesh.json'])).exitCode, {
      timeout: 120_000,
      interval: 2000,
    })
    .toBe(0)
  await lab.exec('n2', ['crontab', '-r'])
  const mesh = Mesh.parse(JSON.parse((await lab.exec('n2', ['cat', '/tmp/mesh.json'])).stdout))
  expect(mesh.nodes.find(({ self }) => self)).toMatchObject({ name: 'n2', outcome: 'ok', trit: -1 })
  expect(mesh.nodes.find(({ name }) => name === 'n1')).toMatchObject({ outcome: 'ok' })
  expect((await lab.exec('n2', ['cat', '/tmp/mesh.errors', '/tmp/trit.out'])).stdout).toBe('')
})

test('a user from whom other processes are hidden is told so, wherever processes are looked for', async () => {
  await lab.exec('n2', ['mount', '-o', 'remount,hidepid=2', '/proc'])
  const asked = { user: 'operator', cwd: '/srv/resource-sharing' } as const
  const ask = async (...args: string[]) => await lab.exec('n2', ['just', ...args], asked)
  const told = /only your own processes can be seen: \/proc is mounted with hidepid/
  const trit = await ask('node-trit', '--timeout', '60')
  expect(trit.stdout).toMatch(/^Node trit: (?:\+1|0|-1)\nSCUM processes: \d+$/)
  expect(trit.stderr).toMatch(told)
  expect(JSON.parse((await ask('node-trit', '--json', '--timeout', '60')).stdout)).toMatchObject({
    onlyOwnProcesses: true,
  })
  const view = await ask('scum-view', '--json', '--timeout', '60')
  expect(JSON.parse(view.stdout).nodes).toMatchObject([{ onlyOwnProcesses: true }])
  expect((await ask('scum-throttle', '1', '--pause')).stderr).toMatch(told)
  expect((await ask('scum-kill', '1', '--yes')).stderr).toMatch(told)
  await lab.exec('n2', ['mount', '-o', 'remount,hidepid=0', '/proc'])
  expect((await ask('node-trit', '--timeout', '60')).stderr).toBe('')
})

test('from a machine whose tailscaled runs in userspace, the others are reached through it', async () => {
  const userspace =
    'TS_DEBUG_USE_DERP_HTTP=true TS_DEBUG_DERP_WS_CLIENT=true TS_ASSUME_NETWORK_UP_FOR_TEST=1 TS_PANIC_IF_HIT_MAIN_CONTROL=1 TS_DISABLE_PORTMAPPER=1 setsid tailscaled --tun=userspace-networking --statedir=/var/lib/tailscale --port=41641 --no-logs-no-support >/tmp/userspace 2>&1 </dev/null &'
  await lab.tailscaledStop('n11')
  await lab.exec('n11', ['sh', '-c', userspace])
  const ask = async () =>
    await lab.exec('n11', ['just', 'mesh-balance', '--json', '--timeout', '20'], {
      cwd: '/srv/resource-sharing',
    })
  await expect
    .poll(async () => (await lab.exec('n11', ['tailscale', 'status', '--json'])).stdout, { interval: 500 })
    .toMatch(/"TUN": false[^]*"HostName": "n2",[^}]*"Online": true/)
  expect((await lab.exec('n11', ['ping', '-c', '1', '-W', '1', tailnetIp('n2')])).exitCode).not.toBe(0)
  const mesh = Mesh.parse(JSON.parse((await ask()).stdout))
  const outcomes = Object.fromEntries(mesh.nodes.map(({ name, outcome }) => [name, outcome]))
  const why = mesh.nodes.map(({ name, reason }) => `${name}: ${reason}`).join('; ')
  expect(outcomes, why).toMatchObject({ n1: 'ok', n2: 'ok', n3: 'ok', n4: 'ok' })
})
