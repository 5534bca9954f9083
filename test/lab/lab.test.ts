import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exists } from './cache.ts'
import { mountsBelow, processesOf } from './cleanup.ts'
import { parseNetem } from './controls/cable.ts'
import type { ExecOptions, ExecResult } from './exec.ts'
import { type Lab, openLab } from './lab.ts'
import { layoutOf, pidsPerHost } from './layout.ts'
import { netnsOf } from './network.ts'
import { waitUntil } from './processes.ts'
import { tailnetDomain } from './headscale.ts'

let lab: Lab

beforeAll(async () => {
  lab = await openLab({ instance: 'lab-test', hosts: 3 })
}, 1_200_000)

afterAll(async () => {
  await lab?.close()
}, 60_000)

const sshOptions = ['BatchMode=yes', 'StrictHostKeyChecking=accept-new', 'ConnectTimeout=3']
const sshArgv = ['ssh', ...sshOptions.flatMap((option) => ['-o', option])]

const address = (node: string): string => {
  const ip = lab.nodes.find(({ name }) => name === node)?.tailnetIp
  if (ip === undefined) throw new Error(`${node} has no tailnet address`)
  return ip
}

/** From n1 to another host over its tailnet address. */
const ssh = async (node: string, command: string, options?: ExecOptions): Promise<ExecResult> =>
  await lab.exec('n1', [...sshArgv, address(node), command], options)

const reaches = async (node: string): Promise<boolean> => (await ssh(node, 'true')).exitCode === 0

describe('hosts', () => {
  test.each(['root', 'operator'] as const)(
    '%s of one host can ssh to another over the tailnet',
    async (user) => {
      const answer = await ssh('n2', 'hostname; id -un', { user })
      expect(answer).toMatchObject({ exitCode: 0, stdout: `n2\n${user}` })
    },
  )

  test('every host sees its peers in the tailnet by their DNS names', async () => {
    const answer = await lab.exec('n1', ['tailscale', 'status', '--json'], { user: 'operator' })
    const names = [...answer.stdout.matchAll(/"DNSName": "([^"]+)"/g)].map((match) => match[1])
    const expected = ['n1', 'n2', 'n3'].map((name) => `${name}.${tailnetDomain}.`)
    expect(new Set(names)).toEqual(new Set(expected))
  })

  test('a tailnet name resolves', async () => {
    const answer = await lab.exec('n1', [...sshArgv, `n3.${tailnetDomain}`, 'hostname'])
    expect(answer.stdout).toBe('n3')
  })

  test('host keys differ from host to host', async () => {
    const keys = await Promise.all(
      ['n1', 'n2', 'n3'].map(
        async (node) => (await lab.exec(node, ['cat', '/etc/ssh/ssh_host_ed25519_key.pub'])).stdout,
      ),
    )
    expect(new Set(keys.map((key) => key.split(' ')[1])).size).toBe(3)
  })

  test('the product, just, node and criu are on PATH, in ssh sessions too', async () => {
    const answer = await ssh(
      'n2',
      'cd /srv/resource-sharing && just --version && node --version && command -v criu',
    )
    expect(answer.stdout).toMatch(/^just .*\nv\d+.*\n\/usr\/sbin\/criu$/)
    expect((await lab.exec('n2', ['touch', '/srv/resource-sharing/x'])).stderr).toContain('Read-only')
  })

  test('operator of one host can send a file to another by Taildrop', async () => {
    await lab.exec('n1', ['sh', '-c', 'echo sent >/tmp/letter; tailscale file cp /tmp/letter n2:'], {
      user: 'operator',
    })
    await lab.exec('n2', ['tailscale', 'file', 'get', '/tmp'], { user: 'operator' })
    expect((await lab.exec('n2', ['cat', '/tmp/letter'])).stdout).toBe('sent')
  })

  test('criu dumps a process on one host and restores it on another with its PID', async () => {
    const start = 'setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!'
    const pid = (await lab.exec('n1', ['bash', '-c', start])).stdout
    const move = 'mkdir /tmp/image && criu dump -t "$1" -D /tmp/image && scp -q -r /tmp/image n2.lan:/tmp/'
    const trust = 'ssh-keyscan n2.lan >>.ssh/known_hosts 2>/dev/null;'
    expect(await lab.exec('n1', ['bash', '-c', `${trust} ${move}`, 'bash', pid])).toMatchObject({
      exitCode: 0,
    })
    expect(await lab.exec('n2', ['criu', 'restore', '-d', '-D', '/tmp/image'])).toMatchObject({ exitCode: 0 })
    expect((await lab.exec('n2', ['ps', '-o', 'comm=', '-p', pid])).stdout).toBe('sleep')
    await lab.exec('n2', ['kill', pid])
  })

  test('a host uses a newer criu when it is told to, by all ways into it, and the other hosts their usual one', async () => {
    const version = async (say: Promise<ExecResult>) => /^Version: (\d+\.\d+)/.exec((await say).stdout)?.[1]
    const here = async () => await version(lab.exec('n3', ['criu', '--version'], { user: 'operator' }))
    const usual = await here()
    await lab.become('n3', 'newer-criu')
    for (const ways of [['criu'], ['sudo', '-n', 'criu']]) {
      const newer = await version(ssh('n3', [...ways, '--version'].join(' '), { user: 'operator' }))
      const [major = 0, minor = 0] = (newer ?? '').split('.').map(Number)
      expect(major > 4 || (major === 4 && minor >= 2), newer).toBe(true)
    }
    expect((await lab.exec('n3', ['criu', 'check'])).stdout).toContain('Looks good')
    expect(await version(lab.exec('n2', ['criu', '--version']))).toBe(usual)
    await lab.become('n3', 'usual-criu')
    expect(await here()).toBe(usual)
  })

  test('no route leads out of the lab', async () => {
    expect((await lab.exec('n1', ['ip', 'route', 'show', 'default'])).stdout).toBe('')
  })

  test('every host gives out PIDs of its own range', async () => {
    for (const node of ['n1', 'n2', 'n3'] as const) {
      const first = Number(node.slice(1)) * pidsPerHost
      const pid = Number((await lab.exec(node, ['sh', '-c', 'echo $$'])).stdout)
      expect(pid).toBeGreaterThan(first)
      expect(pid).toBeLessThan(first + pidsPerHost)
    }
  })

  test('a signal to a spawned command reaches it inside the host', async () => {
    const script = 'trap "echo interrupted; exit 5" INT; echo ready; while :; do sleep 0.1; done'
    const { process: child } = await lab.spawn('n1', ['bash', '-c', script])
    child.stdout.once('data', () => child.kill('SIGINT'))
    expect(await child).toMatchObject({ exitCode: 5, stdout: 'ready\ninterrupted' })
  })

  test('Ctrl-C on a terminal of a host interrupts what runs in its foreground', async () => {
    const command = 'trap "echo interrupted; exit 7" INT; echo ready; while :; do sleep 0.1; done'
    const { process: child } = await lab.spawn('n1', ['script', '-qefc', command, '/dev/null'])
    child.stdout.once('data', () => child.stdin.write('\u0003'))
    expect(await child).toMatchObject({
      stdout: expect.stringMatching(/ready[\s\S]*interrupted/),
      exitCode: 7,
    })
  })

  test('a command that runs into its deadline is ended inside the host', async () => {
    const answer = await lab.exec('n1', ['sleep', '4321'], { timeoutMs: 500 })
    expect(answer.exitCode).toBe(124)
    expect((await lab.exec('n1', ['pgrep', '-f', 'sleep 4321'])).stdout).toBe('')
  })
})

describe('load', () => {
  test('a load that was set is what ssh sees', async () => {
    await lab.setLoad('n2', 12.5, 3, 1)
    expect((await ssh('n2', 'cat /proc/loadavg')).stdout).toMatch(/^12\.50 3\.00 1\.00 \d+\/\d+ \d+$/)
    await lab.setLoad('n2', 0)
    expect((await ssh('n2', 'uptime')).stdout).toContain('load average: 0.00, 0.00, 0.00')
  })

  test('a load that follows the work rises with it and falls after it', async () => {
    await lab.setLoadFollowsWork('n2', { timeConstantSeconds: 1 })
    const load = async (): Promise<number> =>
      Number((await lab.exec('n2', ['cat', '/proc/loadavg'])).stdout.split(' ')[0])
    const work = lab.exec('n2', ['stress-ng', '--cpu', '3', '--timeout', '5'])
    expect(await waitUntil(async () => (await load()) > 2, 15_000)).toBe(true)
    await work
    expect(await waitUntil(async () => (await load()) < 0.5, 15_000)).toBe(true)
    await lab.setLoad('n2', 0)
  })

  test('the number of CPUs is the one that was set', async () => {
    await lab.setCpus('n2', 48)
    expect((await ssh('n2', 'nproc; getconf _NPROCESSORS_ONLN')).stdout).toBe('48\n48')
  })
})

interface Fault {
  readonly name: string
  readonly make: () => Promise<void>
  readonly undo: () => Promise<void>
  /** What ssh says, as a pattern. */
  readonly says: RegExp
}

const faults: readonly Fault[] = [
  {
    name: 'a link that is down',
    make: () => lab.linkDown('n2'),
    undo: () => lab.linkUp('n2'),
    says: /timed out/,
  },
  {
    name: 'no sshd',
    make: () => lab.stopSshd('n2'),
    undo: () => lab.startSshd('n2'),
    says: /Connection refused/,
  },
  {
    name: 'a hung sshd',
    make: () => lab.hangSshd('n2'),
    undo: () => lab.startSshd('n2'),
    says: /banner exchange/,
  },
  {
    name: 'a key not accepted',
    make: () => lab.rejectKey('n2'),
    undo: () => lab.acceptKey('n2'),
    says: /Permission denied/,
  },
  {
    name: 'a changed host key',
    make: () => lab.changeHostKey('n2'),
    undo: async () => {
      for (const user of ['root', 'operator'] as const) {
        await lab.exec('n1', ['ssh-keygen', '-R', address('n2')], { user })
      }
    },
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
  },
  {
    name: 'no tailscaled',
    make: () => lab.tailscaledStop('n2'),
    undo: () => lab.tailscaledStart('n2'),
    says: /timed out/,
  },
  {
    name: 'tailscale down',
    make: () => lab.tailscaleDown('n2'),
    undo: () => lab.tailscaleUp('n2'),
    says: /timed out/,
  },
]

describe('faults', () => {
  test.each(faults)('ssh fails with $name and works again afterwards', async ({ make, undo, says }) => {
    expect(await reaches('n2')).toBe(true)
    await make()
    const answer = await ssh('n2', 'true')
    expect(answer.exitCode).toBe(255)
    expect(answer.stderr).toMatch(says)
    await undo()
    expect(await waitUntil(async () => await reaches('n2'), 60_000)).toBe(true)
  })

  test('netem delays what a host sends, carries bulk, and ends', async () => {
    const roundTrip = async (): Promise<number> => {
      const answer = await lab.exec('n2', ['ping', '-c', '3', '-i', '0.2', '10.99.0.11'])
      return Number(/= ([\d.]+)\//.exec(answer.stdout)?.[1])
    }
    await lab.netem('n2', 'delay 60ms 2ms')
    expect(await roundTrip()).toBeGreaterThan(55)
    expect((await ssh('n2', 'head -c 3000000 /dev/zero | md5sum')).exitCode).toBe(0)
    expect((await ssh('n2', 'head -c 3000000 /dev/zero')).stdout).toHaveLength(3_000_000)
    await lab.netem('n2', 'loss 100%')
    expect((await lab.exec('n2', ['ping', '-c', '1', '-W', '1', '10.99.0.11'])).exitCode).toBe(1)
    await lab.clearNetem('n2')
    expect(await roundTrip()).toBeLessThan(20)
  })

  test.each([
    ['delay 50ms', { delayMs: 50, jitterMs: 0, lossPercent: 0 }],
    ['delay 0.5s 10ms loss 2.5%', { delayMs: 500, jitterMs: 10, lossPercent: 2.5 }],
    ['loss 7%', { delayMs: 0, jitterMs: 0, lossPercent: 7 }],
  ])('netem reads "%s"', (text, expected) => {
    expect(parseNetem(text)).toEqual(expected)
  })

  test.each(['', 'delay', 'delay 5', 'rate 1mbit'])('netem refuses "%s"', (text) => {
    expect(() => parseNetem(text)).toThrow(/must be like/)
  })

  test.each(['root', 'operator'] as const)(
    'a chatty .bashrc of %s talks on both streams until it is quiet',
    async (user) => {
      await lab.chattyBashrc('n2')
      const talk = await ssh('n2', 'echo done', { user })
      expect(talk.stdout).toMatch(/^Welcome[\s\S]*^load1 0\.00$[\s\S]*^done$/m)
      expect(talk.stderr).toContain('warning:')
      await lab.quietBashrc('n2')
      expect(await ssh('n2', 'echo done', { user })).toMatchObject({ stdout: 'done', stderr: '' })
    },
  )

  test('a small disk is full after a few MiB, until it is removed', async () => {
    await lab.smallDisk('n2', '/var/spool/small', 2)
    const fill = ['dd', 'if=/dev/zero', 'of=/var/spool/small/file', 'bs=1M', 'count=4']
    expect((await lab.exec('n2', fill)).stderr).toContain('No space left')
    await lab.removeSmallDisk('n2', '/var/spool/small')
    expect((await lab.exec('n2', fill)).exitCode).toBe(0)
  })

  test('a host gets the DNS name it asks for, to its peers too', async () => {
    await lab.tailscaleHostname('n2', 'web')
    const names = async (): Promise<string> =>
      (await lab.exec('n1', ['tailscale', 'status', '--json'])).stdout
    expect(await waitUntil(async () => (await names()).includes(`"web.${tailnetDomain}."`), 30_000)).toBe(
      true,
    )
    await lab.tailscaleHostname('n2', 'n2')
    expect(await waitUntil(async () => (await names()).includes(`"n2.${tailnetDomain}."`), 30_000)).toBe(true)
  })

  test('a stopped tailscaled leaves no socket, and a logged-out host is back after logging in', async () => {
    await lab.tailscaledStop('n3')
    expect((await lab.exec('n3', ['tailscale', 'status'])).exitCode).not.toBe(0)
    await lab.tailscaledStart('n3')
    await lab.logout('n3')
    expect((await lab.exec('n3', ['tailscale', 'status'])).stdout).toContain('Logged out')
    await lab.tailscaleUp('n3')
    expect((await lab.exec('n3', ['tailscale', 'status', '--json'])).stdout).toContain(
      '"BackendState": "Running"',
    )
  })
})

describe('a Mac', () => {
  const probe =
    'uname; sysctl -n hw.ncpu vm.loadavg; /usr/sbin/sysctl kern.boottime; nproc; command -v setsid; cat /proc/loadavg'

  beforeAll(async () => {
    await lab.setLoad('n3', 1.23, 1.11, 0.99)
    await lab.mac('n3')
  })

  afterAll(async () => {
    await lab.linux('n3')
  })

  const expected = [
    'Darwin',
    '8',
    '{ 1.23 1.11 0.99 }',
    'kern.boottime: { sec = 1700000000, usec = 0 } Tue Nov 14 22:13:20 2023',
  ].join('\n')

  test('answers a script over ssh as a Mac', async () => {
    const answer = await lab.exec('n1', [...sshArgv, '10.99.0.13', 'sh', '-s'], { input: `${probe}\n` })
    expect(answer.stdout).toBe(expected)
    expect(answer.stderr).toMatch(/nproc: (?:command )?not found/)
  })

  test('has a BSD ps that shows whole paths, spaces and all, and knows no GNU options', async () => {
    const listed = await lab.exec('n3', ['ps', 'axo', 'pid,%cpu,%mem,comm'])
    expect(listed.stdout).toMatch(/^ *PID +%CPU +%MEM COMM$/m)
    expect(listed.stdout).toMatch(
      /^ *\d+ +[\d.]+ +[\d.]+ \/Applications\/Visual Studio Code\.app\/.*\/Code Helper$/m,
    )
    expect((await lab.exec('n3', ['ps', '-eo', 'pid', '--sort=-pcpu'])).stderr).toContain('illegal option')
    expect((await lab.exec('n3', ['ps', 'axo', 'pid,etimes'])).stderr).toContain('keyword not found')
  })

  test('is one for cron too', async () => {
    await lab.exec('n3', ['crontab', '-'], { input: '* * * * * (uname; nproc) >/root/said 2>&1\n' })
    const said = async (): Promise<string> => (await lab.exec('n3', ['cat', '/root/said'])).stdout
    await waitUntil(async () => (await said()) !== '', 70_000, 1000)
    expect(await said()).toMatch(/^Darwin\n.*nproc: .*not found/)
    await lab.exec('n3', ['crontab', '-r'])
  })

  test('is a Linux machine again afterwards', async () => {
    await lab.linux('n3')
    const answer = await lab.exec('n3', [
      'sh',
      '-c',
      'uname; nproc >/dev/null && ps -e --sort=pid >/dev/null; cut -c 1-4 /proc/loadavg',
    ])
    expect(answer.stdout).toBe('Linux\n1.23')
  })
})

describe('power', () => {
  test('a killed host comes back with its tailnet address and its disk', async () => {
    await lab.exec('n3', ['sh', '-c', 'echo kept >/root/file'])
    await lab.killHost('n3')
    expect(await reaches('n3')).toBe(false)
    await expect(lab.exec('n3', ['true'])).rejects.toThrow('n3 is not running')
    await lab.bootHost('n3')
    expect((await lab.exec('n3', ['tailscale', 'ip', '-4'])).stdout).toBe(address('n3'))
    expect(await waitUntil(async () => (await ssh('n3', 'cat /root/file')).stdout === 'kept', 20_000)).toBe(
      true,
    )
  })
})

describe('instances', () => {
  const layout = layoutOf('lab-test-crash')
  const remains = async (): Promise<unknown> => ({
    netns: await netnsOf(layout),
    processes: await processesOf(layout),
    mounts: await mountsBelow(layout.runFolder),
    folder: await exists(layout.runFolder),
    cgroups: (await readdir('/sys/fs/cgroup/freezer').catch(() => [])).filter((name) =>
      name.includes(layout.id),
    ),
  })
  const nothing = { netns: [], processes: [], mounts: [], folder: false, cgroups: [] }

  test('close leaves no namespace, mount, process or file', async () => {
    const second = await openLab({ instance: layout.instance, hosts: 2, tailnet: false })
    expect(await processesOf(layout)).not.toEqual([])
    await second.close()
    expect(await remains()).toEqual(nothing)
  })

  test('two instances are up side by side', async () => {
    const second = await openLab({ instance: layout.instance, hosts: 2, tailnet: false })
    expect((await second.exec('n1', ['ping', '-c', '1', '-W', '1', '10.99.0.13'])).exitCode).toBe(1)
    expect((await lab.exec('n1', ['ping', '-c', '1', '-W', '1', '10.99.0.13'])).exitCode).toBe(0)
    await second.close()
  })

  test.each([100, 300, 600, 1200])(
    'up works after another up was killed %i ms after its start',
    async (delayMs) => {
      const start = join(import.meta.dirname, '../../cli/start.mjs')
      const argv = [start, 'test/lab/main.ts', '--instance', layout.instance, 'up', '8', '--no-tailnet']
      const first = execa(process.execPath, argv, { reject: false })
      first.stderr.once('data', () => void sleep(delayMs).then(() => first.kill('SIGKILL')))
      await first
      const second = await openLab({ instance: layout.instance, hosts: 2, tailnet: false })
      expect(
        (await second.exec('n1', ['ssh', '-o', 'StrictHostKeyChecking=no', 'n2.lan', 'hostname'])).stdout,
      ).toBe('n2')
      await second.close()
      expect(await remains()).toEqual(nothing)
    },
  )

  test('trustLan lets one host log in to another without a question', async () => {
    await lab.trustLan('n1')
    const strict = ['ssh', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes']
    expect((await lab.exec('n1', [...strict, '10.99.0.12', 'hostname'], { user: 'operator' })).stdout).toBe(
      'n2',
    )
    expect(await readFile('/etc/hosts', 'utf8')).not.toContain('n2.lan')
  })
})
