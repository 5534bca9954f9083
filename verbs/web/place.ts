import { isIP } from 'node:net'
import { InputError } from '../../lib/base/errors.ts'
import { quoted } from '../../lib/base/text.ts'
import { isOwn } from '../../lib/share/localsend/receiver/addresses.ts'
import { PAGE_PORT } from '../bounds.ts'

/** Where the page is to be served: without an address, on those of this machine and its tailnet. */
export type Place = { address?: string; port: number }

const FORMS = 'takes an address of this machine, a port, or both, as 127.0.0.1:8080 or [::1]:8080'

/** What `--serve` is told: `ADDRESS`, `PORT`, `:PORT`, `ADDRESS:PORT`; `localhost` is an address too. @throws InputError */
export function parsePlace(text: string | undefined): Place {
  if (text === undefined) return { port: PAGE_PORT.usual }
  const { host, port } = split(text)
  const address = host === 'localhost' ? '127.0.0.1' : host
  if (text === '' || (address !== '' && isIP(address) === 0))
    throw new InputError('serve', `${FORMS}, not ${quoted(text)}`)
  const number = port === undefined ? PAGE_PORT.usual : Number(port)
  if (!(port === undefined || /^\d{1,5}$/.test(port)) || number > PAGE_PORT.most)
    throw new InputError(
      'serve',
      `takes a port from ${PAGE_PORT.least} to ${PAGE_PORT.most}, not ${quoted(text)}`,
    )
  return address === '' ? { port: number } : { address, port: number }
}

function split(text: string): { host: string; port: string | undefined } {
  if (/^\d+$/.test(text)) return { host: '', port: text }
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text)
  if (bracketed) return { host: bracketed[1] ?? '', port: bracketed[2] }
  if (isIP(text) !== 0) return { host: text, port: undefined }
  const colon = text.lastIndexOf(':')
  return colon === -1
    ? { host: text, port: undefined }
    : { host: text.slice(0, colon), port: text.slice(colon + 1) }
}

/** Whether nobody but this machine and its tailnet can come in at an address. */
export function isPrivate(address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  return isOwn({ address, bits: family === 'ipv6' ? 128 : 32, family })
}

/** An address and a port as they stand in a URL. */
export function authority(address: string, port: number): string {
  return `${isIP(address) === 6 ? `[${address}]` : address}:${port}`
}
