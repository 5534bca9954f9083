/**
 * prometheus: how long find-minus takes where a server measures the mesh, beside the bare query of that server.
 *
 * Usage: just bench prometheus [MACHINES]     10000
 *
 * A real Prometheus on the loopback looks at one exporter that speaks for so many machines of two CPUs. First without the
 * rules of docs/prometheus, then with them. What is asked both ways: the three machines with the least load over CPUs.
 */
import { execa } from 'execa'
import { exported, serve, startPrometheus } from '../test/prometheus/server.ts'
import { median, report, rowOf } from './report.ts'

const machines = Number(process.argv[2] ?? '10000')
const ROUNDS = 5
const RULES = new URL('../docs/prometheus/rules.yml', import.meta.url).pathname
const ROOT = new URL('..', import.meta.url).pathname

// A metric's lines stand together in an exporter's text.
const lines = Array.from({ length: machines }, (_, index) =>
  exported({ load1: (((index * 7919) % machines) / machines) * 2, labels: `instance="n${index + 1}:9100"` }),
)
const text = lines
  .flatMap((each) => each.split('\n'))
  .toSorted()
  .join('\n')

/** Seconds of a program that has to succeed. */
async function seconds([file = '', ...args]: string[]): Promise<number> {
  const began = performance.now()
  await execa(file, args, { cwd: ROOT })
  return (performance.now() - began) / 1000
}

/** The most memory that a program has, in MB. */
async function memory(argv: string[]): Promise<number> {
  const watch = `import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=2)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)`
  return Number((await execa('python3', ['-c', watch, ...argv], { cwd: ROOT })).stdout) / 1024
}

for (const rules of [undefined, RULES]) {
  const { port, close } = await serve((_, response) => void response.end(`${text}\n`))
  const prometheus = await startPrometheus([{ instance: 'all', address: `127.0.0.1:${port}` }], {
    honorLabels: true,
    seconds: 15,
    ...(rules === undefined ? {} : { rules }),
  })
  try {
    const there = rules === undefined ? 'node_load1' : 'instance:resource_sharing_load1_per_cpu:ratio'
    for (let tries = 0; (await prometheus.ask(`count(${there})`)) < machines; tries += 1) {
      if (tries > 120) throw new Error(`${machines} machines do not come to be known`)
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
    const ratio =
      rules === undefined
        ? 'max by (instance) (node_load1) / count by (instance) (node_cpu_seconds_total{mode="idle"})'
        : there
    const bare = [
      'curl',
      '-sSf',
      `${prometheus.url}/api/v1/query`,
      '--data-urlencode',
      `query=bottomk(3, ${ratio})`,
    ]
    const recipe = (name: string) => [
      process.execPath,
      'cli/start.mjs',
      `scripts/${name}.ts`,
      '--source',
      `prometheus=${prometheus.url}`,
      '--json',
      '--timeout',
      '120',
    ]
    const runs = { bare: [] as number[], minus: [] as number[], whole: [] as number[] }
    for (let round = 0; round < ROUNDS; round += 1) {
      runs.bare.push(await seconds(bare))
      runs.minus.push(await seconds(recipe('find-minus')))
      runs.whole.push(await seconds(recipe('mesh-balance')))
    }
    const one = median(runs.bare)
    const name = `${machines} machines, ${rules === undefined ? 'without' : 'with'} the rules`
    const used = async (program: string) => rowOf(name, program, 'MB', [await memory(recipe(program))])
    const rows = [
      rowOf(name, 'the bare query, by curl', 's', runs.bare, one),
      rowOf(name, 'find-minus', 's', runs.minus, one),
      rowOf(name, 'mesh-balance', 's', runs.whole, one),
      await used('find-minus'),
      await used('mesh-balance'),
    ]
    report('prometheus', rows, 'the bare query')
  } finally {
    await prometheus.close()
    close()
  }
}
