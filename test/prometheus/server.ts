import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { freePort } from '../free-port.ts'

/** Whether tests that need a program are left out; in CI they fail instead. */
async function without(program: string): Promise<boolean> {
  const { failed } = await execa(program, ['--version'], { reject: false })
  return failed && process.env.CI !== 'true'
}

/** Debian packages `prometheus` and `prometheus-node-exporter`. */
export const withoutPrometheus = await without('prometheus')
export const withoutNodeExporter = withoutPrometheus || (await without('prometheus-node-exporter'))

/** A server of HTTP on the loopback; its port, and what ends it. */
export async function serve(answer: RequestListener): Promise<{ port: number; close: () => void }> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what listens on a port has this
  const { port } = server.address() as AddressInfo
  return {
    port,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** What node_exporter says of a machine, as far as it matters here. */
export function exported({
  load1 = 0.5,
  cpus = 2,
  name = 'n1',
  labels = '',
}: { load1?: number | string; cpus?: number; name?: string; labels?: string } = {}): string {
  const also = labels === '' ? '' : `,${labels}`
  const only = labels === '' ? '' : `{${labels}}`
  const cpuLines = Array.from(
    { length: cpus },
    (_, cpu) => `node_cpu_seconds_total{cpu="${cpu}",mode="idle"${also}} 100`,
  )
  return [
    `node_load1${only} ${load1}`,
    `node_load5${only} 1`,
    `node_load15${only} 2`,
    `node_memory_MemAvailable_bytes${only} 1e9`,
    `node_time_seconds${only} 2000`,
    `node_boot_time_seconds${only} 500`,
    `node_uname_info{nodename="${name}",sysname="Linux"${also}} 1`,
    ...cpuLines,
    '',
  ].join('\n')
}

type Answer = {
  data?: { result: { metric: Record<string, string>; value: [number, string] }[] }
  error?: string
}
export type Target = { instance: string; address: string; path?: string; job?: string }

export type RunningPrometheus = {
  url: string
  /** What an expression comes to now. @throws where it is none */
  samples: (query: string) => Promise<{ metric: Record<string, string>; value: number }[]>
  /** The value of the first of them, or 0. */
  ask: (query: string) => Promise<number>
  close: () => Promise<void>
}

/** A real Prometheus that looks at targets each second, or each so many. It ends with what it returns. */
export async function startPrometheus(
  targets: readonly Target[],
  {
    rules,
    honorLabels = false,
    seconds = 1,
  }: { rules?: string; honorLabels?: boolean; seconds?: number } = {},
): Promise<RunningPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'))
  const jobs = [...new Set(targets.map(({ job = 'node' }) => job))]
  const scrape = jobs.map((job) => ({
    job_name: job,
    honor_labels: honorLabels,
    static_configs: targets
      .filter((target) => (target.job ?? 'node') === job)
      .map(({ instance, address, path = '/metrics' }) => ({
        targets: [address],
        labels: { instance, __metrics_path__: path },
      })),
  }))
  const config = {
    global: {
      scrape_interval: `${seconds}s`,
      scrape_timeout: `${seconds}s`,
      evaluation_interval: `${seconds}s`,
    },
    scrape_configs: scrape,
    ...(rules === undefined ? {} : { rule_files: [rules] }),
  }
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const address = `127.0.0.1:${await freePort()}`
  const running = execa(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { reject: false, all: true },
  )
  const url = `http://${address}`
  const samples = async (query: string) => {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { data, error }: Answer = JSON.parse(await answer.text())
    if (!data) throw new Error(`${query}: ${error}`)
    return data.result.map(({ metric, value: [, text] }) => ({ metric, value: Number(text) }))
  }
  const ask = async (query: string) => (await samples(query))[0]?.value ?? 0
  for (let tries = 0; (await ask('vector(1)').catch(() => 0)) !== 1; tries += 1) {
    if (tries > 300 || running.exitCode !== null)
      throw new Error(`Prometheus does not begin: ${(await running).all}`)
    await sleep(100)
  }
  return {
    url,
    samples,
    ask,
    close: async () => {
      running.kill('SIGKILL')
      await running
      await rm(folder, { recursive: true, force: true })
    },
  }
}
