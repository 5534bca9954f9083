import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { freePort } from '../free-port.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Answer = { status: number; text: string }

/** One HTTP request to a receiver on the loopback, exactly as said: nothing is corrected on the way. */
export async function send(
  port: number,
  method: string,
  path: string,
  body: string | Buffer = '',
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        timeout: 15_000,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        )
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in 15 s`)))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** scripts/receive.ts over plain HTTP on this machine's loopback, once it answers. */
export async function startReceiver(args: string[], env: Record<string, string>) {
  const port = await freePort()
  const argv = ['--port', String(port), '--insecure-http', ...args]
  const child = execa(process.execPath, [`${ROOT}cli/start.mjs`, 'scripts/receive.ts', ...argv], {
    env: { PATH: process.env.PATH ?? '', ...env },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    forceKillAfterDelay: 3000,
    timeout: 300_000,
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const stop = async () => {
    child.kill('SIGTERM')
    await child
  }
  for (const deadline = performance.now() + 30_000; ; await sleep(100)) {
    const answer = await send(port, 'GET', '/api/localsend/v2/info').catch(() => undefined)
    if (answer?.status === 200) return { port, output, stop }
    if (child.exitCode === null && performance.now() < deadline) continue
    await stop()
    throw new Error(`receive did not come up: ${output.stderr}${output.stdout}`)
  }
}
