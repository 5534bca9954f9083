import { BlockList, isIP } from 'node:net'
import { UsageError } from '../../../base/errors.ts'
import { quoted } from '../../../base/text.ts'

/** A part of the address space, `100.64.0.0/10`. */
export type Network = { address: string; bits: number; family: 'ipv4' | 'ipv6' }

/** This machine itself, and the addresses that Tailscale gives to the machines of a tailnet and to nobody else. */
const OWN: readonly Network[] = [
  { address: '127.0.0.0', bits: 8, family: 'ipv4' },
  { address: '::1', bits: 128, family: 'ipv6' },
  { address: '100.64.0.0', bits: 10, family: 'ipv4' },
  { address: 'fd7a:115c:a1e0::', bits: 48, family: 'ipv6' },
]

const own = listOf(OWN)

/** @throws UsageError that names the flag and the value */
export function parseNetwork(text: string, flag: string): Network {
  const match = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text)
  const address = match?.[1] ?? ''
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  const bits = Number(match?.[2] ?? most)
  if (version === 0 || bits > most)
    throw new UsageError(`${flag} takes an address or a network such as 192.168.1.0/24, not ${quoted(text)}`)
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' }
}

/** Whether all of a network is this machine or its tailnet. */
export function isOwn({ address, bits, family }: Network): boolean {
  return OWN.some(
    (each) => each.family === family && bits >= each.bits && listOf([each]).check(address, family),
  )
}

/** An address as it is compared and counted: IPv4 is itself also where it came over IPv6, and has no zone. */
export function normal(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}

/** Who an address is: of this machine or tailnet, of a network that was allowed, or nobody that may talk. */
export class Callers {
  readonly #allowed: BlockList

  constructor(allowed: readonly Network[]) {
    this.#allowed = listOf(allowed)
  }

  classOf(address: string): 'own' | 'allowed' | 'stranger' {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (isIP(address) === 0) return 'stranger'
    if (own.check(address, family)) return 'own'
    return this.#allowed.check(address, family) ? 'allowed' : 'stranger'
  }
}

/** Under what wrong PINs are counted: whoever has one IPv6 address of a foreign network has 2^64 of them. */
export function countedAs(address: string): string {
  if (isIP(address) !== 6 || own.check(address, 'ipv6')) return address
  const [head = '', tail = ''] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const rest = tail.split(':').filter((group) => group !== '')
  const zeros = address.includes('::')
    ? Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0')
    : []
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':')
}

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList()
  for (const { address, bits, family } of networks) list.addSubnet(address, bits, family)
  return list
}
