/**
 * share: how long a file takes from one machine of a tailnet to another by share-to-idle (LocalSend), beside curl, scp
 * and Taildrop; and many small ones in a folder, beside scp.
 *
 * Usage: just bench share [MIB] [--files N] [--rounds N]     256 MiB, 5000 files, 3 rounds
 *
 * Real tailscaled and sshd, on two hosts of the lab; each way by turns. That all has arrived whole is looked at each
 * time. An empty file by share-to-idle is what its start costs.
 */
import { parseArgs } from 'node:util'
import { openLab } from '../test/lab/lab.ts'
import { done, listening, PORT, RECEIVE, SHARE, TO_N2 } from '../test/sending.ts'
import { median, report, rowOf, type Row } from './report.ts'

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, files: { type: 'string', default: '5000' } },
  allowPositionals: true,
})
const mebibytes = Number(positionals[0] ?? '256')
const rounds = Number(values.rounds)
const log = (line: string): void => void process.stderr.write(`${line}\n`)

const HTTPS_PORT = 8443
const SINK = ['node', '/srv/resource-sharing/cli/start.mjs', 'test/localsend-peers/https-sink.ts']
const MAKE = `mkdir -p big empty many && head -c ${mebibytes * 2 ** 20} /dev/urandom >big/big && : >empty/empty
  head -c ${Number(values.files) * 1000} /dev/urandom | split -b 1000 -a 4 - many/`
const MAKE_SINK = `cd /root && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \\
  -nodes -days 3 -subj /CN=sink -keyout sink.key -out sink.crt 2>/dev/null`
/** The hash of all that a folder has, names and contents. */
const HASH = 'cd "$1" && find . -type f | LC_ALL=C sort | xargs -d "\\n" sha256sum | sha256sum'

const lab = await openLab({ instance: 'bench', hosts: 2, log })
const address = lab.nodes.find(({ name }) => name === 'n2')?.tailnetIp ?? ''

/** Sends something of /root on n1 into /root/in on n2; the seconds that sending took. */
type Way = () => Promise<number>

const share =
  (path: string): Way =>
  async () =>
    await listening(lab, [...RECEIVE, '/root/in'], PORT, async (receiver) => {
      const seconds = await done(lab, 'n1', [...SHARE, path, ...TO_N2])
      await receiver
      return seconds
    })
const TRUST = ['-o', 'StrictHostKeyChecking=accept-new']
const scp =
  (path: string): Way =>
  async () =>
    await done(lab, 'n1', ['scp', '-q', '-r', ...TRUST, path, `${address}:/root/in/`])

const FILE: Record<string, Way> = {
  'curl -T': async () => {
    const sink = [...SINK, String(HTTPS_PORT), '/root/in', '/root/sink.crt', '/root/sink.key']
    const url = `https://${address}:${HTTPS_PORT}/big`
    const put = ['curl', '--silent', '--show-error', '--fail', '-k', '-T', '/root/big/big', url]
    return await listening(lab, sink, HTTPS_PORT, async () => await done(lab, 'n1', put))
  },
  scp: scp('/root/big/big'),
  'tailscale file cp': async () => {
    const seconds = await done(lab, 'n1', ['tailscale', 'file', 'cp', '/root/big/big', 'n2:'])
    await done(lab, 'n2', ['tailscale', 'file', 'get', '/root/in'])
    return seconds
  },
  'share-to-idle': share('/root/big/big'),
}
const FOLDER: Record<string, Way> = { scp: scp('/root/many'), 'share-to-idle': share('/root/many') }
const EMPTY: Record<string, Way> = { 'share-to-idle': share('/root/empty/empty') }

/** @param from the folder of n1 that has what is sent @param peer the way that the ratio is to */
async function compare(name: string, ways: Record<string, Way>, from: string, peer?: string): Promise<Row[]> {
  const hash = async (node: string, folder: string) =>
    (await lab.exec(node, ['sh', '-ec', HASH, '-', folder], { timeoutMs: 170_000 })).stdout
  const original = await hash('n1', `/root/${from}`)
  const took = new Map(Object.keys(ways).map((way) => [way, [] as number[]]))
  for (let round = 0; round < rounds; round += 1)
    for (const [way, send] of Object.entries(ways)) {
      await done(lab, 'n2', ['sh', '-c', 'rm -rf /root/in && mkdir /root/in'])
      took.get(way)?.push(await send())
      if (![await hash('n2', '/root/in'), await hash('n2', `/root/in/${from}`)].includes(original))
        throw new Error(`${way}: it did not arrive whole`)
    }
  const best = peer === undefined ? undefined : median(took.get(peer) ?? [])
  return [...took].map(([program, seconds]) => rowOf(name, program, 's', seconds, best))
}

try {
  await done(lab, 'n1', ['sh', '-ec', `cd /root && ${MAKE}`])
  // One path for all: before the first packet the tailnet may still go by way of nowhere.
  await done(lab, 'n1', ['tailscale', 'ping', '--until-direct', 'n2'])
  await done(lab, 'n2', ['sh', '-ec', MAKE_SINK])
  const file = await compare(`${mebibytes} MiB`, FILE, 'big', 'curl -T')
  report('share', [...file, ...(await compare('an empty file', EMPTY, 'empty'))], 'curl -T')
  report('share', await compare(`${values.files} files of 1 kB`, FOLDER, 'many', 'scp'), 'scp')
} finally {
  await lab.close()
}
