import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { Failure, Interrupted, UsageError } from '../lib/errors.ts'
import { isOwn, parseNetwork } from '../lib/localsend/addresses.ts'
import { PORT } from '../lib/localsend/schema.ts'
import { tailnet } from '../lib/mesh/tailscale.ts'
import { ownHome } from '../lib/state/state-dir.ts'
import { quoted } from '../lib/text.ts'
import { countOf, timeoutMs } from './numbers.ts'
import type { Context } from './recipe.ts'
import { standalone } from './standalone.ts'

export const receiveOptions = {
  dir: { type: 'string' },
  port: { type: 'string' },
  pin: { type: 'string' },
  once: { type: 'boolean' },
  allow: { type: 'string', multiple: true },
  listen: { type: 'string', multiple: true },
  'insecure-http': { type: 'boolean' },
  systemd: { type: 'boolean' },
} as const

type ReceiveContext = Context<typeof receiveOptions>
type Values = ReceiveContext['values']

const LOOPBACK = '127.0.0.1'
const TAILNET_MS = 10_000

/** What the flags say. @throws UsageError */
export function receiverOf(values: Values) {
  const allow = (values.allow ?? []).map((text) => parseNetwork(text, '--allow'))
  const { pin, dir = '~/Downloads/resource-sharing' } = values
  if (pin !== undefined && (pin === '' || pin.length > 64))
    throw new UsageError('--pin takes 1 to 64 characters')
  const foreign = allow.findIndex((network) => !isOwn(network))
  if (foreign !== -1 && pin === undefined)
    throw new UsageError(
      `--allow ${quoted(values.allow?.[foreign] ?? '')} is beyond this tailnet: say --pin too, so that not everybody there can send`,
    )
  if (dir === '') throw new UsageError('--dir takes a folder')
  return {
    folder: resolve(dir.replace(/^~(?=\/|$)/, () => ownHome())),
    port: countOf('--port', values.port ?? String(PORT), { least: 1, most: 65_535 }),
    allow,
    insecureHttp: values['insecure-http'] ?? false,
    ...(pin === undefined ? {} : { pin }),
  }
}

/** Addresses to listen on: those that the person names, else the tailnet's and the loopback. */
export async function listenOn({ values, signal, note }: ReceiveContext): Promise<string[]> {
  const { listen } = values
  const wrong = listen?.find((address) => isIP(address) === 0)
  if (wrong !== undefined)
    throw new UsageError(`--listen takes an address of this machine, not ${quoted(wrong)}`)
  if (listen) return [...new Set(listen)]
  const found = await tailnet({ timeoutMs: TAILNET_MS, signal }).catch((error: unknown) => {
    if (error instanceof Interrupted || !(error instanceof Failure)) throw error
    return { running: false, why: error.message } as const
  })
  const own = found.running ? found.nodes.find(({ self }) => self)?.address : undefined
  if (own !== undefined && own !== '') return [own, LOOPBACK]
  const why = found.running ? 'this machine has no tailnet address' : found.why
  if (!values.quiet) note(`no other machine can send to this one: ${why}; it listens on the loopback only`)
  return [LOOPBACK]
}

/** The command that a service runs, with these flags and absolute paths. */
export function receiveArgv(values: Values): string[] {
  const { folder, port, pin, insecureHttp } = receiverOf(values)
  const args = [
    `--dir=${folder}`,
    `--port=${port}`,
    ...(pin === undefined ? [] : [`--pin=${pin}`]),
    ...(values.allow ?? []).map((network) => `--allow=${network}`),
    ...(values.listen ?? []).map((address) => `--listen=${address}`),
    ...(insecureHttp ? ['--insecure-http'] : []),
  ]
  // As in the justfile: what moves large files collects its garbage early.
  return standalone('receive', args, ['--max-semi-space-size=1'])
}

/** How long to receive, in milliseconds; without `--timeout` until it is told to end. */
export function durationOf(values: Values): number | undefined {
  return values.timeout === undefined ? undefined : timeoutMs(values.timeout)
}
