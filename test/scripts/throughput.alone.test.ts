import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'
import { rounds } from '../rounds.ts'
import { done, listening, PORT, RECEIVE, sha256, SHARE, TO_N2 } from '../sending.ts'

const MIB = 1 << 20
/** Four times what neither end may have in memory; `just soak huge` sends 4 GiB. */
const HUGE_MIB = rounds(600)
const LIMIT_RSS_BYTES = 150 * MIB

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'throughput', hosts: 2 })
  // Before the first packet the tailnet may still go by way of nowhere.
  await done(lab, 'n1', ['tailscale', 'ping', '--until-direct', 'n2'])
})
afterAll(() => lab?.close())

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
  'a huge file needs less than 150 MiB of memory in the sender and in the receiver, and arrives whole',
  { timeout: 900_000 },
  async () => {
    // Holes that cost nothing to make, and random bytes where a lost or doubled piece would show.
    const make = `mkdir -p sparse && truncate -s ${HUGE_MIB}M sparse/huge && for at in 0 ${[0.25, 0.5].map((part) => Math.floor(part * HUGE_MIB) + 1).join(' ')} ${HUGE_MIB - 1}; do
    dd if=/dev/urandom of=sparse/huge bs=1M count=1 seek=$at conv=notrunc status=none; done`
    await done(lab, 'n1', ['sh', '-ec', make])
    await done(lab, 'n2', ['mkdir', '-p', '/root/huge'])
    const peaks = await listening(
      lab,
      telling('receiver', [...RECEIVE, '/root/huge']),
      PORT,
      async (receiver) => {
        const argv = telling('sender', [...SHARE, '/root/sparse/huge', ...TO_N2])
        const { process: sender } = await lab.spawn('n1', argv, { timeoutMs: 600_000 })
        const running = { sender: true, receiver: true }
        void sender.finally(() => (running.sender = false))
        void receiver.finally(() => (running.receiver = false))
        const found = await Promise.all([
          peakRssBytes('n1', 'sender', () => !running.sender),
          peakRssBytes('n2', 'receiver', () => !running.receiver || !running.sender),
        ])
        const { exitCode, stderr } = await sender
        expect(exitCode, stderr).toBe(0)
        return found
      },
    )
    const [original, arrived] = await Promise.all([
      sha256(lab, 'n1', '/root/sparse/huge'),
      sha256(lab, 'n2', '/root/huge/huge'),
    ])
    await done(lab, 'n2', ['rm', '-r', '/root/huge'])
    expect(arrived).toBe(original)
    for (const [position, who] of ['sender', 'receiver'].entries()) {
      const peak = peaks[position] ?? 0
      expect(peak, who).toBeGreaterThan(20 * MIB)
      expect(peak, who).toBeLessThan(LIMIT_RSS_BYTES)
    }
  },
)
