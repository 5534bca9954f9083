import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HostProcess } from '../lab/exec.ts'
import { openLab, type Lab } from '../lab/lab.ts'
import { rounds } from '../rounds.ts'

const MIB = 1 << 20
/** `just soak speeds` sends 256 MiB; whether a file arrives whole shows with less. */
const FILE_MIB = rounds(48)
const FILE_BYTES = FILE_MIB * MIB
/** Each way is tried so often, in turns, and its best time counts: other work on the machine only ever slows down. */
const ROUNDS = FILE_MIB < 256 ? 1 : 2
/** Four times what neither end may have in memory; `just soak huge` sends 4 GiB. */
const HUGE_MIB = rounds(600)
const LIMIT_RSS_BYTES = 150 * MIB
const REPOSITORY = '/srv/resource-sharing'
const START = ['node', '--max-semi-space-size=1', `${REPOSITORY}/cli/start.mjs`]
const RECEIVE = [...START, 'scripts/receive.ts', '--once', '--dir']
const SHARE = [...START, 'scripts/share-to-idle.ts']
const TO_N2 = ['--target', 'n2', '--via', 'localsend']

const print = (line: string) => void process.stdout.write(`${line}\n`)

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'throughput', hosts: 2 })
  await done('n1', ['sh', '-c', `head -c ${FILE_BYTES} /dev/urandom >/root/big && : >/root/empty`])
  // One path for all: before the first packet the tailnet may still go by way of nowhere.
  await done('n1', ['tailscale', 'ping', '--until-direct', 'n2'])
})
afterAll(() => lab?.close())

/** Runs a command that has to succeed; how long it took, in seconds. */
async function done(node: string, argv: readonly string[]): Promise<number> {
  const began = performance.now()
  const { exitCode, stderr, stdout } = await lab.exec(node, argv, { timeoutMs: 170_000 })
  if (exitCode !== 0) throw new Error(`${node}: ${argv.join(' ')}: exit ${exitCode}: ${stderr}${stdout}`)
  return (performance.now() - began) / 1000
}

async function sha256(node: string, file: string): Promise<string> {
  const { stdout, stderr } = await lab.exec(node, ['sha256sum', file], { timeoutMs: 170_000 })
  return stdout.slice(0, 64) || stderr
}

/** Starts what listens on n2, waits until it does, and ends it after `work` at the latest. */
async function listening<T>(
  argv: readonly string[],
  port: number,
  work: (server: HostProcess) => Promise<T>,
): Promise<T> {
  const { process: server } = await lab.spawn('n2', argv, { timeoutMs: 600_000 })
  let ended = false
  void server.finally(() => (ended = true))
  try {
    const listens = async () =>
      ended || /\S/.test((await lab.exec('n2', ['ss', '-Hltn', `sport = :${port}`])).stdout)
    await expect.poll(listens, { timeout: 30_000, interval: 100 }).toBe(true)
    expect(ended, 'it ended before it listened').toBe(false)
    return await work(server)
  } finally {
    server.kill('SIGTERM')
    await server
  }
}

const address = () => lab.nodes.find(({ name }) => name === 'n2')?.tailnetIp ?? ''

/** Each sends /root/big to n2 so that it ends as /root/NAME/big there, and returns the seconds that sending took. */
const ways: Record<string, () => Promise<number>> = {
  'share-to-idle': async () => {
    return await listening([...RECEIVE, '/root/share-to-idle'], 53_317, async (receiver) => {
      const seconds = await done('n1', [...SHARE, '/root/big', ...TO_N2])
      await receiver
      return seconds
    })
  },
  'curl -T': async () => {
    const keys = ['/root/sink.crt', '/root/sink.key']
    const sink = [...START, 'test/localsend-peers/https-sink.ts', '8443', '/root/curl -T', ...keys]
    const url = `https://${address()}:8443/big`
    return await listening(
      sink,
      8443,
      async () =>
        await done('n1', ['curl', '--silent', '--show-error', '--fail', '-k', '-T', '/root/big', url]),
    )
  },
  scp: async () => {
    const trust = ['-o', 'StrictHostKeyChecking=accept-new']
    return await done('n1', ['scp', '-q', ...trust, '/root/big', `${address()}:/root/scp/`])
  },
  'tailscale file cp': async () => {
    const seconds = await done('n1', ['tailscale', 'file', 'cp', '/root/big', 'n2:'])
    await done('n2', ['tailscale', 'file', 'get', '/root/tailscale file cp'])
    return seconds
  },
}

test('a file arrives whole by each way; their speeds side by side', { timeout: 600_000 }, async () => {
  await done('n2', ['sh', '-ec', makeSink])
  const original = await sha256('n1', '/root/big')
  const best = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [way, run] of Object.entries(ways)) {
      await done('n2', ['mkdir', '-p', `/root/${way}`])
      best.set(way, Math.min(await run(), best.get(way) ?? Infinity))
      expect([way, await sha256('n2', `/root/${way}/big`)]).toEqual([way, original])
      await done('n2', ['rm', '-r', `/root/${way}`])
    }
  const startUp = await listening([...RECEIVE, '/root/nothing'], 53_317, async (receiver) => {
    const seconds = await done('n1', [...SHARE, '/root/empty', ...TO_N2])
    await receiver
    return seconds
  })
  const ours = best.get('share-to-idle') ?? Number.NaN
  print(
    `${FILE_MIB} MiB over the tailnet, best of ${ROUNDS}; start-up of share-to-idle ${startUp.toFixed(2)} s`,
  )
  for (const [way, seconds] of [...best, ['less its start-up', ours - startUp] as const]) {
    const speed = `${(FILE_BYTES / 1e6 / seconds).toFixed(1).padStart(7)} MB/s`
    print(`  ${way.padEnd(18)} ${speed}  ${(ours / seconds).toFixed(2)} of share-to-idle's speed`)
  }
})

const makeSink = `cd /root && mkdir -p nothing && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \\
  -nodes -days 3 -subj /CN=sink -keyout sink.key -out sink.crt 2>/dev/null`

/** The command under a shell that first tells its PID, and becomes it. */
const telling = (name: string, argv: readonly string[]) => [
  'sh',
  '-c',
  `echo $$ >/run/${name}.pid; exec "$@"`,
  'sh',
  ...argv,
]

/** Looks at the peak of a process's resident memory until it has ended; the last look counts. */
async function peakRssBytes(node: string, name: string, ended: () => boolean): Promise<number> {
  let peak = 0
  for (; !ended(); await sleep(250)) {
    const command = `grep VmHWM "/proc/$(cat /run/${name}.pid)/status"`
    const { stdout } = await lab.exec(node, ['sh', '-c', command])
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(stdout)?.[1] ?? 0) * 1024)
  }
  return peak
}

test(
  'a huge file needs less than 150 MiB of memory in the sender and in the receiver',
  { timeout: 900_000 },
  async () => {
    // Holes that cost nothing to make, and random bytes where a lost or doubled piece would show.
    const make = `mkdir -p sparse && truncate -s ${HUGE_MIB}M sparse/huge && for at in 0 ${[0.25, 0.5].map((part) => Math.floor(part * HUGE_MIB) + 1).join(' ')} ${HUGE_MIB - 1}; do
    dd if=/dev/urandom of=sparse/huge bs=1M count=1 seek=$at conv=notrunc status=none; done`
    await done('n1', ['sh', '-ec', make])
    await done('n2', ['mkdir', '-p', '/root/huge'])
    const peaks = await listening(
      telling('receiver', [...RECEIVE, '/root/huge']),
      53_317,
      async (receiver) => {
        const argv = telling('sender', [...SHARE, '/root/sparse/huge', ...TO_N2])
        const { process: sender } = await lab.spawn('n1', argv, { timeoutMs: 600_000 })
        const running = { sender: true, receiver: true }
        void sender.finally(() => (running.sender = false))
        void receiver.finally(() => (running.receiver = false))
        const began = performance.now()
        const found = await Promise.all([
          peakRssBytes('n1', 'sender', () => !running.sender),
          peakRssBytes('n2', 'receiver', () => !running.receiver || !running.sender),
        ])
        const { exitCode, stderr } = await sender
        expect(exitCode, stderr).toBe(0)
        print(`${HUGE_MIB} MiB in ${((performance.now() - began) / 1000).toFixed(1)} s`)
        return found
      },
    )
    const [original, arrived] = await Promise.all([
      sha256('n1', '/root/sparse/huge'),
      sha256('n2', '/root/huge/huge'),
    ])
    await done('n2', ['rm', '-r', '/root/huge'])
    expect(arrived).toBe(original)
    for (const [position, who] of ['sender', 'receiver'].entries()) {
      const peak = peaks[position] ?? 0
      print(`  peak resident memory of the ${who}: ${(peak / MIB).toFixed(0)} MiB`)
      expect(peak).toBeGreaterThan(20 * MIB)
      expect(peak).toBeLessThan(LIMIT_RSS_BYTES)
    }
  },
)
