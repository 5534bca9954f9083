import { isIP } from 'node:net'
import { UsageError } from '../base/errors.ts'
import { quoted } from '../base/text.ts'

/** A host as a person names it: `[user@]host[:port]`. */
export type NamedHost = { host: string; user?: string; port?: number; text: string }

// A backslash parts a domain of Windows from the name.
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.+@\\-]{0,63}$/
const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})$/
const FORM = 'write [user@]host[:port], an IPv6 address with a port in brackets'

/**
 * Hosts between commas.
 *
 * @param source what to name in an error, e.g. `--hosts`
 * @throws UsageError when there is none, or one is not of the form
 */
export function parseHostList(text: string, source: string): NamedHost[] {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.every((part) => part === '')) throw new UsageError(`${source} names no host: ${FORM}`)
  return unique(parts.map((part) => parseHost(part, source)))
}

/**
 * One host a line; what follows a `#` is a comment.
 *
 * @param path of the file, for errors
 * @throws UsageError that names the line
 */
export function parseHostsFile(text: string, path: string): NamedHost[] {
  const hosts = text.split('\n').flatMap((line, index) => {
    const host = line.replace(/(?:^|\s)#.*/, '').trim()
    return host === '' ? [] : [parseHost(host, `${quoted(path)} line ${index + 1}`)]
  })
  if (hosts.length === 0) throw new UsageError(`${quoted(path)} names no host: ${FORM}, one a line`)
  return unique(hosts)
}

/** One host; nothing that ssh could take for an option or a shell for syntax gets through. */
export function parseHost(text: string, source: string): NamedHost {
  const wrong = (what: string) => new UsageError(`${source}: ${quoted(text)} ${what}: ${FORM}`)
  const at = text.lastIndexOf('@')
  const user = at === -1 ? undefined : text.slice(0, at)
  if (user !== undefined && !USER.test(user)) throw wrong('has no valid user name')
  const { host, port } = splitPort(text.slice(at + 1))
  if (!isHost(host)) throw wrong('is not a host')
  if (port === undefined) return { host, text, ...(user === undefined ? {} : { user }) }
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw wrong('has no port from 1 to 65535')
  return { host, port: Number(port), text, ...(user === undefined ? {} : { user }) }
}

/** Whether it is a name or an address, and nothing that ssh could take for an option. */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || NAME.test(text)
}

function splitPort(text: string): { host: string; port: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text)
  if (bracketed)
    return { host: isIP(bracketed[1] ?? '') === 6 ? (bracketed[1] ?? '') : '', port: bracketed[2] }
  if (isIP(text) === 6) return { host: text, port: undefined }
  const colon = text.indexOf(':')
  return colon === -1
    ? { host: text, port: undefined }
    : { host: text.slice(0, colon), port: text.slice(colon + 1) }
}

function unique(hosts: NamedHost[]): NamedHost[] {
  return [...new Map(hosts.map((host) => [host.text, host])).values()]
}
