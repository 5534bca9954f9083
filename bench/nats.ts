/**
 * nats: how long a bucket of NATS takes to be read, and what an agent costs that does nothing but tell its load.
 *
 * Usage: just bench nats [MACHINES] [SECONDS]     10000, and 120 for the agent
 *
 * A real nats-server on the loopback, as `just nats-setup` sets it up, and one program that writes so many records. Each
 * reading is a program of its own, started cold.
 */
import { readFile } from 'node:fs/promises'
import { connect, nkeyAuthenticator } from '@nats-io/transport-node'
import { execa } from 'execa'
import { recordText } from '../lib/mesh/nats/record.ts'
import { startNats } from '../test/nats/server.ts'
import { report, rowOf, type Row } from './report.ts'

const machines = Number(process.argv[2] ?? '10000')
const agentSeconds = Number(process.argv[3] ?? '120')
const ROUNDS = 7
const ROOT = new URL('..', import.meta.url).pathname

/** Seconds of a program that has to succeed, those of a CPU among them, and the most memory that it had, in MB. */
type Run = { seconds: number; cpu: number; mb: number }
async function measured(argv: string[]): Promise<Run> {
  const watch = `import resource, subprocess, sys, time
began = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss)`
  const [seconds, cpu, kb] = (await execa('python3', ['-c', watch, ...argv], { cwd: ROOT })).stdout.split(' ')
  return { seconds: Number(seconds), cpu: Number(cpu), mb: Number(kb) / 1024 }
}

const server = await startNats(['n1'])
try {
  const seed = (await readFile(server.credentials('owner'), 'utf8')).split('\n')[1] ?? ''
  const owner = await connect({
    servers: `127.0.0.1:${server.port}`,
    authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
  })
  const write = async () => {
    for (let index = 0; index < machines; index += 1) {
      const load1 = (((index * 7919) % machines) / machines) * 2
      const measurement = {
        os: 'linux',
        load1,
        load5: load1,
        load15: load1,
        cpus: 2,
        uptimeSeconds: 86400 + index,
        pressure: { some10: 1.25, some60: 2.5 },
        availableBytes: 8_123_456_789 + index,
        receiver: {
          arrivals: [
            {
              secondsAgo: 40,
              cpu: 0.5,
              pid: 1e3 + index,
            },
          ],
        },
      }
      owner.publish(`$KV.mesh.m${index}`, recordText(`m${index}`, measurement, 50))
    }
    await owner.flush()
  }
  const args = ['--source', server.source, '--source-config', server.credentials('reader')]
  const recipe = (name: string) => [
    process.execPath,
    'cli/start.mjs',
    `scripts/${name}.ts`,
    ...args,
    '--json',
    '--timeout',
    '60',
  ]
  const rows: Row[] = []
  for (const name of ['find-minus', 'mesh-balance']) {
    const runs: Run[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      await write()
      runs.push(await measured(recipe(name)))
    }
    const row = (what: keyof Run, unit: Row['unit']) =>
      rowOf(
        `${machines} machines, ${what}`,
        name,
        unit,
        runs.map((run) => run[what]),
      )
    rows.push(row('seconds', 's'), row('cpu', 's'), row('mb', 'MB'))
  }
  await owner.close()

  // As the justfile has it.
  const lean = ['--max-semi-space-size=1', '--max-old-space-size=24', '--no-opt']
  const agent = execa(
    process.execPath,
    [
      ...lean,
      'cli/start.mjs',
      'scripts/agent.ts',
      '--json',
      '--name',
      'n1',
      '--source',
      server.source,
      '--source-config',
      server.credentials('n1'),
    ],
    { cwd: ROOT, reject: false, timeout: agentSeconds * 1000, killSignal: 'SIGTERM' },
  )
  const lines = (await agent).stdout.split('\n').filter((line) => line.includes('"published"'))
  const { count, cpuPercent, rssBytes } = JSON.parse(lines.at(-1) ?? '{}')
  const program = `agent, ${count} records in ${agentSeconds} s`
  rows.push(rowOf('idle', program, '%', [Number(cpuPercent)]), rowOf('idle', program, 'MB', [rssBytes / 1e6]))
  report('nats', rows)
} finally {
  await server.close()
}
