/**
 * watch: what it costs to watch many machines: here, on each of them, in memory, and in bytes a second.
 *
 * Usage: just bench watch [HOSTS] [--seconds S] [--stand-ins N]     32 hosts, 300 s
 *
 * Real sshd on the hosts of a lab, all on this one machine, and a terminal of 120 by 40 on one of them. Stand-ins are loops
 * on that host itself, reached without ssh: they tell what this program takes for more machines than a lab has.
 */
import { parseArgs } from 'node:util'
import { openLab } from '../test/lab/lab.ts'
import { Pane } from '../test/pane.ts'

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string' }, 'stand-ins': { type: 'string' } },
  allowPositionals: true,
})
const standIns = Number(values['stand-ins'] ?? '0')
const hosts = standIns > 0 ? 1 : Number(positionals[0] ?? '32')
const seconds = Number(values.seconds ?? '300')
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const STEP_SECONDS = Math.min(60, seconds)
const RECORDED = '/run/recorded'
const SHIM = `#!/bin/sh
for word; do case $word in -G | -O) exit 0 ;; --) shift && break ;; esac; shift; done
exec sh -c "$2"`

// The ticks that processes and what they have waited for have used, by the words of their command lines.
const TICKS = `used() {
  for pid in $(pgrep -f "$1"); do
    IFS= read -r stat </proc/$pid/stat || continue
    set -- "$1" \${stat##*) }
    echo $((\${13} + \${14} + \${15} + \${16}))
  done 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }'
}
`
// What runs on is told in nanoseconds, of each thread; of what has ended only ticks are known.
const HERE = `on_cpu() {
  for pid in $(pgrep -f "$1"); do cat /proc/$pid/task/*/schedstat; done 2>/dev/null |
    awk '{ sum += $1 } END { printf "%.0f", sum / 1e7 }'
}
node=$(pgrep -f '[s]cripts/watch.ts')
echo "$(on_cpu '[s]cripts/watch.ts') $(on_cpu '^ssh[: ]') $(awk '/VmRSS/ { print $2 }' /proc/$node/status) \\
$(stat -c %s ${RECORDED}) $(awk -F'[: ]+' '/lan|eth/ { sum += $3 + $11 } END { print sum + 0 }' /proc/net/dev) \\
$(cut -d' ' -f1 /proc/uptime)"`
const THERE = `${TICKS}
echo "$(used '[r]ead -r RS') $(used '^sshd-session') $(cut -d' ' -f1 /proc/uptime)"`

const lab = await openLab({ instance: 'bench-watch', hosts, tailnet: false, log: say })
const sh = async (node: string, text: string) => {
  const { stdout, stderr, exitCode } = await lab.exec(node, ['bash', '-c', text])
  if (exitCode !== 0) throw new Error(`${node}: exit ${exitCode}: ${stderr}`)
  return stdout.trim().split(/\s+/).map(Number)
}
const named = async (node: string, script: string, keys: readonly string[]) => {
  const numbers = await sh(node, script)
  return Object.fromEntries(keys.map((key, index) => [key, numbers[index] ?? Number.NaN]))
}
const here = async () => await named('n1', HERE, ['node', 'ssh', 'rss', 'written', 'network', 'uptime'])
const there = async (node: string) => await named(node, THERE, ['loop', 'sshd', 'uptime'])
/** Percent of a core, of ticks of 10 ms. */
const share = (ticks: number, passed: number) => ticks / passed

try {
  const others =
    standIns > 0
      ? Array.from({ length: standIns }, (_, index) => `stand-in-${index + 1}`)
      : lab.nodes.slice(1).map(({ lanIp }) => lanIp)
  await lab.trustLan('n1')
  if (standIns > 0)
    await sh(
      'n1',
      `mkdir -p /run/shim && printf '%s\\n' '${SHIM}' >/run/shim/ssh && chmod +x /run/shim/ssh; echo 0`,
    )
  const env: Record<string, string> =
    standIns > 0
      ? { PATH: '/run/shim:/usr/local/bin:/usr/bin:/bin:/srv/resource-sharing/node_modules/.bin' }
      : {}
  await sh('n1', `printf '%s\\n' ${others.join(' ')} >/run/hosts; echo 0`)
  const pane = await Pane.open(lab, 'n1', { columns: 120, rows: 40, env })
  await pane.run('just watch --hosts-file /run/hosts')
  await pane.waitFor(new RegExp(`^${others.length + 1} machines *$`, 'm'), 120_000)
  await pane.record(RECORDED)
  await new Promise((resolve) => setTimeout(resolve, 5000))
  say(`${others.length} other machines, ${seconds} s`)
  say(
    '  seconds   node %  ssh %  RSS MiB  terminal B/s  network B/s  each host %: mean, most (loop and sshd)',
  )
  const peers = standIns > 0 ? [] : lab.nodes.slice(1).map(({ name }) => name)
  for (let passed = 0; passed < seconds; passed += STEP_SECONDS) {
    const [before, peersBefore] = [await here(), await Promise.all(peers.map((name) => there(name)))]
    await new Promise((resolve) => setTimeout(resolve, STEP_SECONDS * 1000))
    const [after, peersAfter] = [await here(), await Promise.all(peers.map((name) => there(name)))]
    const of = (key: string) =>
      ((after[key] ?? 0) - (before[key] ?? 0)) / ((after['uptime'] ?? 0) - (before['uptime'] ?? 0))
    const each = peersAfter.map((late, index) => {
      const early = peersBefore[index]
      const ticks =
        (late['loop'] ?? 0) - (early?.['loop'] ?? 0) + (late['sshd'] ?? 0) - (early?.['sshd'] ?? 0)
      return share(ticks, (late['uptime'] ?? 0) - (early?.['uptime'] ?? 0))
    })
    const mean = each.reduce((sum, value) => sum + value, 0) / Math.max(1, each.length)
    const cells = [
      String(passed + STEP_SECONDS).padStart(9),
      of('node').toFixed(2).padStart(8),
      of('ssh').toFixed(2).padStart(6),
      ((after['rss'] ?? 0) / 1024).toFixed(1).padStart(8),
      of('written').toFixed(0).padStart(13),
      of('network').toFixed(0).padStart(12),
      each.length > 0 ? `  ${mean.toFixed(2)}, ${Math.max(...each).toFixed(2)}` : '',
    ]
    say(cells.join(' '))
  }
  await pane.press('q')
  await pane.waitFor(/prompt> *$/m)
  await pane.close()
} finally {
  await lab.close()
}
