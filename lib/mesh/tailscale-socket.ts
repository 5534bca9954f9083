import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Limits } from '../base/command.ts'

/** Where tailscaled listens for its own command, in folders that only root can write to. */
export const SOCKETS = ['/var/run/tailscale/tailscaled.sock', '/var/run/tailscaled.socket']
/** The name by which the daemon knows that who asks speaks to its socket, as its own command has it. */
const HOST = 'local-tailscaled.sock'
/** A daemon that takes longer is asked by its command, which can say what is wrong. */
const PATIENCE_MS = 1000

/**
 * What `tailscale status --json` prints, from where that command has it: it takes a fifth of the time and no process.
 *
 * @returns undefined where there is no daemon, it does not let this user ask, or it gives no whole answer in time
 * @throws the signal's reason
 */
export async function statusFromSocket(
  { timeoutMs, signal, maxOutput = Infinity }: Limits,
  sockets: readonly string[] = SOCKETS,
): Promise<string | undefined> {
  const enough = new AbortController()
  const given = AbortSignal.any([signal, enough.signal])
  const late = sleep(Math.min(timeoutMs, PATIENCE_MS), undefined, { signal: given }).catch(() => undefined)
  const answers = sockets.map(async (socketPath) => await ask(socketPath, given, maxOutput))
  const first = Promise.any(answers).catch(() => undefined)
  const found = await Promise.race([first, late])
  enough.abort()
  signal.throwIfAborted()
  return found
}

async function ask(socketPath: string, signal: AbortSignal, maxOutput: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    const asking = request({ socketPath, path: '/localapi/v0/status', headers: { host: HOST }, signal })
    asking.once('error', reject)
    asking.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
        if (text.length > maxOutput) response.destroy(new Error('more than any tailnet'))
      })
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200 && response.complete) resolve(text)
        else reject(new Error(`status ${response.statusCode}`))
      })
    })
    asking.end()
  })
}
