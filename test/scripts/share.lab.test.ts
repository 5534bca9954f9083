import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { HostProcess } from '../lab/exec.ts'
import { openLab, type Lab } from '../lab/lab.ts'

const REPOSITORY = '/srv/resource-sharing'
const START = ['node', `${REPOSITORY}/cli/start.mjs`]
const PORT = '53317'
const MIB = 1 << 20
/** Less than a test may take, so that what hangs is named: 5,000 files take 100 s on two CPUs that twenty others want. */
const DEADLINE_MS = 280_000
const WAIT = { timeout: 60_000, interval: 100 }

const say = (line: string) => void process.stdout.write(`${line}\n`)

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'share', hosts: 3 })
  await sh(
    'n1',
    `mkdir out && cd out && : >empty && printf x >one && head -c ${8 * MIB} /dev/urandom >eight && head -c 300M /dev/urandom >../much`,
  )
})
afterAll(() => lab?.close())

beforeEach(async () => {
  // n2 has the most room, n3 some, this machine none.
  for (const [node, load] of [
    ['n1', 4],
    ['n2', 0.1],
    ['n3', 0.4],
  ] as const) {
    await lab.setCpus(node, 2)
    await lab.setLoad(node, load)
  }
})

async function sh(node: string, script: string, user: 'root' | 'operator' = 'root'): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.exec(node, ['bash', '-ec', script], {
    user,
    timeoutMs: DEADLINE_MS,
  })
  if (exitCode !== 0) throw new Error(`${node}: ${script}: ${stderr}${stdout}`)
  return stdout
}

const share = async (args: string[]) =>
  lab.exec('n1', ['just', '--justfile', `${REPOSITORY}/justfile`, 'share-to-idle', ...args], {
    cwd: '/root/out',
    timeoutMs: DEADLINE_MS,
  })

type Receiving = { folder: string; process: HostProcess }

/** `receive` of the operator on a host, with a folder of its own. */
async function receive(node: string, args: string[] = [], named?: string): Promise<Receiving> {
  const folder = named ?? `/home/operator/in-${randomBytes(4).toString('hex')}`
  const argv = [...START, 'scripts/receive.ts', '--dir', folder, ...args]
  const { process: running } = await lab.spawn(node, argv, { user: 'operator' })
  let ended = false
  void running.finally(() => (ended = true))
  const listens = async () =>
    ended || (await lab.exec(node, ['ss', '-Hltn', `sport = :${PORT}`])).stdout.split('\n').length === 2
  await vi.waitUntil(listens, WAIT)
  if (ended) throw new Error(`receive on ${node} ended: ${(await running).stderr}`)
  return { folder, process: running }
}

async function stop(receiving: Receiving, signal: NodeJS.Signals = 'SIGTERM') {
  receiving.process.kill(signal)
  return receiving.process
}

/** Relative name and hash of every file of a folder. */
async function hashes(node: string, folder: string): Promise<string[]> {
  const script = `cd '${folder}' && find . -type f -print0 | sort -z | xargs -0r sha256sum`
  return (await sh(node, script)).split('\n').filter((line) => line !== '')
}

test('the idlest machine gets the file, whole, and the person is told which it was', async () => {
  const [n2, n3] = [await receive('n2', ['--once']), await receive('n3')]
  const ran = await share(['eight'])
  expect(ran).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^sent eight \(8\.0 MiB\) to n2 by LocalSend/),
  })
  expect(await n2.process).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`${n2.folder}/eight`),
  })
  expect(await hashes('n2', n2.folder)).toEqual(
    (await hashes('n1', '/root/out')).filter((line) => line.endsWith('/eight')),
  )
  await stop(n3)
  expect(await hashes('n3', n3.folder)).toEqual([])
})

test('a machine that its owner has closed gets nothing, unless it is named', async () => {
  await lab.exec('n2', ['just', '--justfile', `${REPOSITORY}/justfile`, 'close', 'mine tonight'])
  const n3 = await receive('n3', ['--once'])
  expect(await share(['one'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('to n3 by') })
  expect(await n3.process).toMatchObject({ exitCode: 0 })
  const n2 = await receive('n2', ['--once'])
  expect(await share(['one', '--target', 'n2'])).toMatchObject({ exitCode: 0 })
  expect(await n2.process).toMatchObject({ exitCode: 0 })
  await lab.exec('n2', ['just', '--justfile', `${REPOSITORY}/justfile`, 'open'])
})

test('no idle machine: nothing is sent, and it says just that', async () => {
  const n2 = await receive('n2')
  await lab.setLoad('n2', 1)
  await lab.setLoad('n3', 2)
  expect(await share(['eight'])).toEqual({ exitCode: 3, stdout: '', stderr: 'No idle peers available' })
  await stop(n2)
  expect(await hashes('n2', n2.folder)).toEqual([])
})

test('nothing, one byte, a tree, unicode, and names that look like options arrive with their names and hashes', async () => {
  const make = `mkdir -p 'tree/a b/ü/漢字' tree/none && : >tree/empty && printf 1 >tree/one && printf 2 >'tree/a b/-rf' &&
    printf 3 >'tree/a b/ü/漢字/😀.txt' && printf 4 >"tree/it's \\$HOME; touch owned" && printf 5 >tree/.hidden && ln -s /etc tree/link`
  await sh('n1', `mkdir -p few && cd few && ${make}`)
  const n2 = await receive('n2', ['--once'])
  const ran = await lab.exec(
    'n1',
    ['just', '--justfile', `${REPOSITORY}/justfile`, 'share-to-idle', 'tree', '--json'],
    {
      cwd: '/root/few',
    },
  )
  expect(ran).toMatchObject({
    exitCode: 0,
    stderr:
      'not sent: tree/link: a link to a folder, or to what is no file\nnot sent: tree/none: an empty folder',
  })
  expect(JSON.parse(ran.stdout)).toMatchObject({
    target: 'n2',
    via: 'localsend',
    bytes: 5,
    declined: [],
    tried: [],
  })
  expect(await n2.process).toMatchObject({ exitCode: 0 })
  expect(await hashes('n2', n2.folder)).toEqual(await hashes('n1', '/root/few'))
})

test('5,000 small files arrive as they are', async () => {
  const make = `mkdir many && cd many && for d in $(seq 50); do mkdir $d; for f in $(seq 100); do echo $d $f >$d/$f; done; done`
  await sh('n1', make)
  const n2 = await receive('n2', ['--once', '--quiet'])
  const began = performance.now()
  const ran = await lab.exec('n1', [...START, 'scripts/share-to-idle.ts', 'many'], {
    timeoutMs: DEADLINE_MS,
  })
  expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^sent 5000 files/) })
  say(`5,000 small files in ${((performance.now() - began) / 1000).toFixed(1)} s`)
  expect(await n2.process).toMatchObject({ exitCode: 0 })
  const list = `cd $1 && find many -type f | sort | xargs sha256sum | sha256sum`
  const [sent, arrived] = await Promise.all([
    lab.exec('n1', ['sh', '-c', list, 'sh', '/root']),
    lab.exec('n2', ['sh', '-c', list, 'sh', n2.folder]),
  ])
  expect(arrived.stdout).toBe(sent.stdout)
})

test('a file of 450 MiB arrives as it is', async () => {
  await sh('n1', 'head -c 450M /dev/urandom >big')
  const n2 = await receive('n2', ['--once'])
  const ran = await share(['../big'])
  expect(ran).toMatchObject({ exitCode: 0 })
  say(ran.stdout)
  await n2.process
  expect(await hashes('n2', n2.folder)).toEqual([(await sh('n1', 'sha256sum ./big')).trim()])
  await sh('n2', `rm -r ${n2.folder}`)
})

test('where the idlest does not take it, the next one gets it, and both are named', async () => {
  const n3 = await receive('n3', ['--once'])
  const ran = await share(['one'])
  expect(ran).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(
      /^n2 does not answer at port 53317: .*ECONNREFUSED.*; --via ssh or --via taildrop may work; trying n3$/,
    ),
    stdout: expect.stringMatching(/^sent one \(1 B\) to n3 by LocalSend/),
  })
  expect(await n3.process).toMatchObject({ exitCode: 0 })
})

test('where none takes it, that is no success, and the way out is named', async () => {
  const ran = await share(['one'])
  expect(ran).toMatchObject({ exitCode: 3, stdout: '', stderr: expect.stringContaining('--via ssh') })
})

test('--target sends to a machine that is not idle, and a PIN opens what asks for one', async () => {
  await lab.setLoad('n3', 3)
  const n3 = await receive('n3', ['--once', '--pin', '4711'])
  const refused = await share(['one', '--target', 'n3'])
  expect(refused).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(/PIN.*--pin/) })
  expect(await share(['one', '--target', 'n3', '--pin', '4711'])).toMatchObject({ exitCode: 0 })
  expect(await n3.process).toMatchObject({ exitCode: 0 })
})

test('a path that is missing is a usage error before anybody is asked', async () => {
  expect(await share(['one', 'nowhere'])).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: '"/root/out/nowhere" does not exist',
  })
})

test('Taildrop leaves the file in the inbox, says so, and refuses a folder with the way out', async () => {
  const ran = await share(['eight', '--via', 'taildrop'])
  expect(ran).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/to n2 by Taildrop, into its inbox/),
  })
  await sh('n2', 'mkdir -p inbox && tailscale file get inbox')
  expect(await sh('n2', 'sha256sum <inbox/eight')).toBe(await sh('n1', 'sha256sum <out/eight'))
  const refused = await share(['../few/tree', '--via', 'taildrop', '--target', 'n2'])
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/no folders: say --via ssh/) })
})

test.each(['rsync', 'tar'])(
  'over ssh by %s a tree goes into --dest, whatever that is called, and replaces nothing',
  async (by) => {
    // Where rsync can't be run, it is not there.
    const mode = by === 'tar' ? '-x' : '+x'
    await sh('n2', `chmod ${mode} "$(readlink -f /usr/bin/rsync)"`)
    const dest = `/root/${by} $(touch owned) \`touch owned\` ü`
    const args = ['../few/tree', 'eight', '--via', 'ssh', '--dest', dest]
    const ran = await share(args)
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ran.stdout).toContain(`to n2 by ssh (${by}), into ${dest}`)
    await sh('n2', `cd /root/${by}* && echo mine >eight && touch -d 2001-01-01 eight`)
    expect(await share(args)).toMatchObject({ exitCode: 0, stderr: '' })
    const there = await sh('n2', `cd /root/${by}* && find . -type f -print0 | xargs -0 sha256sum`)
    const arrived = there.split('\n').map((line) => line.slice(0, 64))
    const sent = [...(await hashes('n1', '/root/few')), ...(await hashes('n1', '/root/out'))]
    for (const line of sent.filter((each) => /tree|eight/.test(each)))
      expect(arrived).toContain(line.slice(0, 64))
    expect(await sh('n2', `cd /root/${by}* && grep -alx mine eight* | wc -l`)).toBe('1')
    expect(there).not.toContain('.resource-sharing')
    expect(await sh('n2', 'find /root /home /tmp -xdev -name owned | wc -l')).toBe('0')
    await lab.exec('n2', ['sh', '-c', 'chmod +x "$(readlink -f /usr/bin/rsync)"'])
  },
)

test.each(['rsync', 'tar'])('over ssh by %s, holes stay holes and two names one file', async (by) => {
  await sh(
    'n1',
    'cd out && mkdir -p holes && truncate -s 1G holes/a && echo end >>holes/a && ln -f holes/a holes/b',
  )
  await lab.exec('n2', ['sh', '-c', `chmod ${by === 'tar' ? '-x' : '+x'} "$(readlink -f /usr/bin/rsync)"`])
  const ran = await share(['holes', '--via', 'ssh', '--dest', `/root/holes-${by}`])
  await lab.exec('n2', ['sh', '-c', 'chmod +x "$(readlink -f /usr/bin/rsync)"'])
  expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`by ssh (${by})`) })
  const look =
    'cd HOLES && tail -c 4 a && stat -c "%s %h" b && [ $(du -k b | cut -f 1) -lt 1000 ] && echo small'
  const there = await sh('n2', look.replace('HOLES', `holes-${by}/holes`))
  expect(there).toBe(`end\n${2 ** 30 + 4} 2\nsmall`)
  await sh('n1', 'rm -r out/holes')
})

test('--via auto takes what works: ssh where no LocalSend answers', async () => {
  const ran = await share(['eight', '--via', 'auto'])
  expect(ran).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/to n2 by ssh .*, into ~\/Downloads/),
  })
  expect(await sh('n2', 'sha256sum <Downloads/resource-sharing/eight')).toBe(
    await sh('n1', 'sha256sum <out/eight'),
  )
})

test('peers lists who answers, with what it announces', async () => {
  const n3 = await receive('n3')
  const ran = await lab.exec('n1', ['just', '--justfile', `${REPOSITORY}/justfile`, 'peers', '--json'], {
    cwd: '/root',
  })
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
  const address = lab.nodes.find(({ name }) => name === 'n3')?.tailnetIp
  expect(JSON.parse(ran.stdout)).toEqual({
    peers: [
      {
        name: 'n3',
        address,
        port: 53_317,
        protocol: 'https',
        alias: 'n3',
        version: '2.2',
        deviceType: 'headless',
        fingerprint: expect.stringMatching(/^[0-9A-F]{64}$/),
      },
    ],
  })
  await stop(n3)
})

test('without a tailnet, receive listens on the loopback only, and says so', async () => {
  await lab.tailscaledStop('n3')
  const { process: receiver } = await lab.spawn('n3', [...START, 'scripts/receive.ts'], { user: 'operator' })
  const listens = async () => (await lab.exec('n3', ['ss', '-Hltn', `sport = :${PORT}`])).stdout
  await vi.waitUntil(async () => (await listens()) !== '', WAIT)
  expect(await listens()).toMatch(/^LISTEN\s+\d+\s+\d+\s+127\.0\.0\.1:53317\s+\S+\s*$/)
  receiver.kill('SIGTERM')
  expect(await receiver).toMatchObject({
    exitCode: 130,
    stderr: expect.stringMatching(/it listens on the loopback only/),
  })
  await lab.tailscaledStart('n3')
})

/** Names and hashes of what is in a folder under a final name. */
async function finished(node: string, folder: string): Promise<string[]> {
  return (await hashes(node, folder)).filter((line) => !line.includes('.resource-sharing-'))
}

/** Waits until so many bytes of something have arrived. */
async function arriving(node: string, folder: string, bytes: number): Promise<void> {
  // One loop there: on a busy machine a transfer is over before a host has been entered twice to look.
  const sizes = `stat -c %s ${folder}/.resource-sharing-*.part 2>/dev/null`
  const sum = `s=0; for n in $(${sizes}); do s=$((s + n)); done`
  await sh(node, `until ${sum}; [ $s -gt ${Math.floor(bytes)} ]; do sleep 0.01; done`)
}

const hashOfMuch = async () => [`${(await sh('n1', 'sha256sum <much')).slice(0, 64)}  ./much`]

test('a receiver that is killed leaves nothing under a final name, and a retry ends whole', async () => {
  const folder = '/home/operator/killed'
  for (let round = 0; round < 3; round += 1) {
    const n2 = await receive('n2', [], folder)
    const sending = share(['../much', '--target', 'n2'])
    await arriving('n2', folder, Math.random() * 100 * MIB)
    await stop(n2, 'SIGKILL')
    expect(await sending).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/connection to n2 broke/),
    })
    expect(await finished('n2', folder)).toEqual([])
  }
  const n2 = await receive('n2', ['--once'], folder)
  expect(await share(['../much', '--target', 'n2'])).toMatchObject({ exitCode: 0 })
  expect(await n2.process).toMatchObject({ exitCode: 0 })
  // What the killed ones left is gone too.
  expect(await hashes('n2', folder)).toEqual(await hashOfMuch())
  await sh('n2', `rm -r ${folder}`)
})

test('a sender that is killed leaves nothing under a final name, and can begin anew at once', async () => {
  const n2 = await receive('n2')
  for (let round = 0; round < 3; round += 1) {
    const argv = [...START, 'scripts/share-to-idle.ts', '/root/much', '--target', 'n2']
    const { process: sender } = await lab.spawn('n1', argv)
    await arriving('n2', n2.folder, Math.random() * 100 * MIB)
    sender.kill('SIGKILL')
    await sender
    // Not hashed: what is half there goes while one looks.
    await vi.waitUntil(async () => (await sh('n2', `find ${n2.folder} -type f`)) === '', WAIT)
  }
  expect(await share(['../much', '--target', 'n2', '--wait', '10'])).toMatchObject({ exitCode: 0 })
  await stop(n2)
  expect(await hashes('n2', n2.folder)).toEqual(await hashOfMuch())
  await sh('n2', `rm -r ${n2.folder}`)
})

test('Ctrl-C ends the sender, and the receiver is free and has nothing', async () => {
  const n2 = await receive('n2', ['--once'])
  const argv = [...START, 'scripts/share-to-idle.ts', '/root/much', '--target', 'n2']
  const { process: sender } = await lab.spawn('n1', argv)
  await arriving('n2', n2.folder, 50 * MIB)
  sender.kill('SIGINT')
  expect(await sender).toMatchObject({ exitCode: 130, stdout: '', stderr: 'interrupted' })
  expect(await n2.process).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('1 did not arrive') })
  expect(await hashes('n2', n2.folder)).toEqual([])
})

test('a link that is down for three seconds only delays it', async () => {
  const n2 = await receive('n2', ['--once'])
  const sending = share(['../much', '--target', 'n2'])
  await arriving('n2', n2.folder, 50 * MIB)
  await lab.linkDown('n2')
  await new Promise((resolve) => setTimeout(resolve, 3000))
  await lab.linkUp('n2')
  expect(await sending).toMatchObject({ exitCode: 0 })
  expect(await n2.process).toMatchObject({ exitCode: 0 })
  expect(await hashes('n2', n2.folder)).toEqual(await hashOfMuch())
  await sh('n2', `rm -r ${n2.folder}`)
})

test('a disk that is too small takes no offer; one that fills up meanwhile has nothing of the file', async () => {
  await lab.smallDisk('n2', '/home/operator/small', 400)
  const n2 = await receive('n2', [], '/home/operator/small')
  const declined = await share(['../big', '--target', 'n2'])
  expect(declined).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/n2 declined: there is not enough room/),
  })
  const sending = share(['../much', '--target', 'n2'])
  await arriving('n2', n2.folder, 10 * MIB)
  await sh('n2', 'head -c 300M /dev/zero >small/filler || true', 'operator')
  expect(await sending).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(/n2 failed to store it: the disk is full/),
  })
  expect((await hashes('n2', n2.folder)).map((line) => line.slice(66))).toEqual(['./filler'])
  await sh('n2', 'rm small/filler', 'operator')
  expect(await share(['../much', '--target', 'n2'])).toMatchObject({ exitCode: 0 })
  expect((await hashes('n2', n2.folder)).join()).toBe(
    `${(await sh('n1', 'sha256sum <much')).slice(0, 64)}  ./much`,
  )
  await stop(n2)
  await lab.removeSmallDisk('n2', '/home/operator/small')
})
