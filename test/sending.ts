import type { HostProcess } from './lab/exec.ts'
import type { Lab } from './lab/lab.ts'
import { waitUntil } from './lab/processes.ts'

/** What sends from n1 of a lab, and receives on n2: for the test of transfers, and the bench beside other programs. */

const START = ['node', '--max-semi-space-size=1', '/srv/resource-sharing/cli/start.mjs']
/** Receives one transfer into the folder that follows. */
export const RECEIVE = [...START, 'scripts/receive.ts', '--once', '--dir']
/** Sends the file that follows. */
export const SHARE = [...START, 'scripts/share-to-idle.ts']
export const TO_N2 = ['--target', 'n2', '--via', 'localsend']
/** Where a receiver of LocalSend listens. */
export const PORT = 53_317

/** Runs a command that has to succeed; how long it took, in seconds. */
export async function done(lab: Lab, node: string, argv: readonly string[]): Promise<number> {
  const began = performance.now()
  const { exitCode, stderr, stdout } = await lab.exec(node, argv, { timeoutMs: 170_000 })
  if (exitCode !== 0) throw new Error(`${node}: ${argv.join(' ')}: exit ${exitCode}: ${stderr}${stdout}`)
  return (performance.now() - began) / 1000
}

/** The hash of a file, or what kept it from being read. */
export async function sha256(lab: Lab, node: string, file: string): Promise<string> {
  const { stdout, stderr } = await lab.exec(node, ['sha256sum', file], { timeoutMs: 170_000 })
  return stdout.slice(0, 64) || stderr
}

/** Starts what listens on n2, waits until it does, and ends it after `work` at the latest. */
export async function listening<T>(
  lab: Lab,
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
    if (!(await waitUntil(listens, 30_000, 100))) throw new Error(`nothing listens on port ${port}`)
    if (ended) throw new Error('it ended before it listened')
    return await work(server)
  } finally {
    server.kill('SIGTERM')
    await server
  }
}
