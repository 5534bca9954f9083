import { hostname } from 'node:os'
import { InputError } from '../../lib/base/errors.ts'
import { quoted } from '../../lib/base/text.ts'
import { tailnetIfKnown, type Tailnet } from '../../lib/mesh/tailscale.ts'
import { whoIs } from '../../lib/mesh/whois.ts'
import type { Deps } from '../verb.ts'
import type { Rules } from './access.ts'
import { remembering } from './owners.ts'
import { authority, isPrivate, parsePlace } from './place.ts'
import { startServer, type Site } from './server.ts'
import { readToken, TOKEN_VARIABLE } from './token.ts'

export type ServeInput = {
  /** `ADDRESS`, `PORT` or `ADDRESS:PORT`; without it, the addresses of this machine and its tailnet. */
  serve?: string | undefined
  /** A file with what lets somebody look who has no other right. */
  tokenFile?: string | undefined
}

const LOOPBACK = '127.0.0.1'
const LOOPBACK_6 = '::1'
const TAILSCALE_MS = 10_000

/** Where and to whom something is served. */
export type Plan = { listen: string[]; optional: string[]; port: number; rules: Rules; names: string[] }

/**
 * What the input asks for, before anything is begun.
 *
 * @throws UsageError when the page would be open to everybody, or what is asked for makes no sense
 */
export async function planServing(input: ServeInput, deps: Deps): Promise<Plan> {
  const { address, port } = parsePlace(input.serve)
  const token = await readToken(input.tokenFile, process.env)
  const withToken = `say --token-file FILE (or ${TOKEN_VARIABLE}) too`
  if (address !== undefined && !isPrivate(address) && token === undefined)
    throw new InputError(
      'serve',
      `${quoted(input.serve ?? '')} is open beyond this machine and its tailnet: ${withToken}, so that not everybody there can look`,
    )
  const limits = { timeoutMs: TAILSCALE_MS, signal: deps.signal }
  const found = await knownTailnet(deps)
  // What comes from the tailnet then has this machine's own address.
  if (found?.userspace && token === undefined)
    throw new InputError(
      'serve',
      `would be open to the whole tailnet, because tailscaled runs without a device of the system: ${withToken}`,
    )
  const own = found?.own ?? { addresses: [], dnsName: '' }
  const tailnetAddresses = found?.userspace ? [] : own.addresses
  const [first] = tailnetAddresses
  const rules: Rules = {
    ...(token === undefined ? {} : { token }),
    names: new Set([hostname(), own.dnsName].flatMap(namesOf)),
    owner: first === undefined ? undefined : await whoIs(first, limits),
    whoIs: remembering(async (asked) => await whoIs(asked, limits).catch(() => undefined)),
  }
  if (rules.owner?.tagged && token === undefined)
    deps.hint(`this machine is tagged and so belongs to nobody: others have to say a token: ${withToken}`)
  const listen = address === undefined ? [LOOPBACK, ...tailnetAddresses] : [address]
  const optional = address === undefined ? [LOOPBACK_6] : []
  return { listen, optional, port, rules, names: own.dnsName === '' ? [] : [own.dnsName] }
}

/**
 * Serves a site until the signal is aborted.
 *
 * @param tell told of where it can be opened, once that is so
 * @throws Failure when it can't listen there; the signal's reason
 */
export async function serveSite(
  site: Site,
  plan: Plan,
  { signal }: Pick<Deps, 'signal'>,
  tell: (urls: string[]) => void,
): Promise<never> {
  const { listen, names } = plan
  const serving = await startServer(site, plan)
  try {
    const places = [...listen, ...(listen.length > 1 ? names : [])]
    tell(places.map((place) => `http://${authority(place, serving.port)}/`))
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
  } finally {
    await serving.close()
  }
  throw signal.reason
}

/** Without a tailnet the page is for this machine. */
async function knownTailnet({
  signal,
  hint,
}: Pick<Deps, 'signal' | 'hint'>): Promise<(Tailnet & { running: true }) | undefined> {
  const found = await tailnetIfKnown({ timeoutMs: TAILSCALE_MS, signal })
  if (found.running) return found
  hint(`no other machine can look: ${found.why}`)
  return undefined
}

/** The names that a machine is opened by: whole, and its first label. Not NAME.local: anybody in a network may say that it is theirs. */
function namesOf(name: string): string[] {
  const [label = ''] = name.toLowerCase().split('.')
  return label === '' ? [] : [name.toLowerCase(), label]
}
