import type { IncomingHttpHeaders } from 'node:http'
import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { sameOwner, type Owner } from '../../lib/mesh/whois.ts'
import { isPrivate } from './place.ts'

/** What is known of who asks: the address that the connection comes from, and what the browser says. */
export type Asker = { address: string; method: string; headers: IncomingHttpHeaders }

export type Refusal = { status: 401 | 403 | 405 | 421; says: string }

export type Rules = {
  /** Whoever says it may look, wherever they are. */
  token?: string
  /** Names by which people open the page, in lower case, besides addresses. */
  names: ReadonlySet<string>
  /** Who this machine belongs to; undefined where there is no tailnet. */
  owner: Owner | undefined
  /** Who has an address of the tailnet. */
  whoIs: (address: string) => Promise<Owner | undefined>
}

/** A header by which something that passes requests on says for whom: then the connection's address is not who asks. */
const PASSED_ON = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const

/**
 * Whether a request may be answered: from this machine, from a machine of the tailnet that belongs to the same person, or
 * with the token.
 *
 * @param orders whether orders are taken there, which come by POST
 * @returns why not; undefined when it may
 */
export async function refusalOf(asker: Asker, rules: Rules, orders = false): Promise<Refusal | undefined> {
  const { method, headers, address } = asker
  if (method !== 'GET' && method !== 'HEAD' && !(method === 'POST' && orders))
    return { status: 405, says: 'there is nothing here but to look' }
  if (comesFromAnotherSite(headers)) return { status: 403, says: 'another site may not ask for this' }
  if (rules.token !== undefined && headers.authorization !== undefined)
    return hasToken(headers.authorization, rules.token) ? undefined : unknown('the token is another one')
  // A page of another site can bring its own name to lead here, and then its scripts would be this page's.
  const name = hostName(headers.host)
  if (name === undefined || !(isIP(name) !== 0 || name === 'localhost' || rules.names.has(name)))
    return { status: 421, says: 'this machine is not called so: open the page by its address' }
  if (PASSED_ON.some((header) => headers[header] !== undefined))
    return ask(rules, 'who comes through a proxy is known by the token alone')
  if (isLoopback(address)) return undefined
  if (!isPrivate(address)) return ask(rules, 'the page is for this machine and its tailnet')
  const owner = await rules.whoIs(address)
  if (owner === undefined || rules.owner === undefined)
    return ask(rules, 'tailscale does not know who you are')
  if (sameOwner(owner, rules.owner)) return undefined
  return ask(rules, `${describe(owner)}, ${describe(rules.owner)}`)
}

/** An order may be given by who says the token, from this very page, whoever may look. @returns why not */
export function orderRefusal({ headers }: Asker, { token }: Rules, ticket: string): Refusal | undefined {
  const site = headers['sec-fetch-site']
  const { origin, host = '', authorization } = headers
  const fromHere = (site ?? 'same-origin') === 'same-origin' && origin?.replace(/^https?:\/\//, '') === host
  // Another site could send a form's types without being asked, and never this one, nor the header.
  const json = headers['content-type']?.split(';')[0]?.trim() === 'application/json'
  const given = headers['x-ticket']
  if (!fromHere || !json || typeof given !== 'string' || !same(ticket, given))
    return { status: 403, says: 'this page is from before, or it is another one: open it anew' }
  if (token === undefined || authorization === undefined || !hasToken(authorization, token))
    return unknown('who acts has to say the token')
  return undefined
}

function describe({ machine, login, tagged }: Owner): string {
  return tagged ? `${machine} is tagged and belongs to nobody` : `${machine} belongs to ${login}`
}

/** Who has no other right may have the token. */
function ask({ token }: Rules, says: string): Refusal {
  return token === undefined ? { status: 403, says } : unknown(says)
}

const unknown = (says: string): Refusal => ({ status: 401, says })

/** Browsers say of each request which site has begun it. A link to the page may stand on any site. */
function comesFromAnotherSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site']
  const opened = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !opened) return true
  const { origin, host = '' } = headers
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host
}

/** The name or address in a `Host` header, in lower case; undefined where it is none. */
function hostName(host: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? '')
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '')
}

export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}

/** As a bearer's, as Prometheus has it, or as the password with any name, as browsers ask for it. */
function hasToken(header: string, token: string): boolean {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return same(token, value)
  if (scheme.toLowerCase() !== 'basic') return false
  const pair = Buffer.from(value, 'base64').toString()
  return same(token, pair.slice(pair.indexOf(':') + 1))
}

/** In a time that tells neither how much of it was right nor how long it is. */
function same(known: string, given: string): boolean {
  const [a, b] = [known, given].map((text) => createHash('sha256').update(text).digest())
  return a !== undefined && b !== undefined && timingSafeEqual(a, b)
}
