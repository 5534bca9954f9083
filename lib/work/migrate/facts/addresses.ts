import type { PortInUse } from './facts.ts'

/**
 * Addresses as /proc/net writes them: four or sixteen bytes in hexadecimal, each four of them as the machine has a
 * number, which most machines have with its last byte first.
 */

/** Of machines that have it first: their addresses read as they are. */
const BIG_ENDIAN = /^(?:s390x?|ppc|ppc64|mips|mips64|sparc.*)$/
const MAPPED = '::ffff:'

export function isWildcard(address: string): boolean {
  return /^0*$/.test(address) || /^0{16}(?:FFFF0000|0000FFFF)0{8}$/i.test(address)
}

/** As people write it: `10.0.0.1`, or eight groups of hexadecimal digits without leading zeros. */
export function addressText(address: string, arch: string): string {
  if (isWildcard(address)) return 'all addresses'
  const words = address.match(/[0-9A-F]{8}/gi) ?? []
  const bytes = words.flatMap((word) => {
    const four = (word.match(/../g) ?? []).map((each) => Number.parseInt(each, 16))
    return BIG_ENDIAN.test(arch) ? four : four.toReversed()
  })
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((bytes[2 * index] ?? 0) * 256 + (bytes[2 * index + 1] ?? 0)).toString(16),
  ).join(':')
  return groups.startsWith('0:0:0:0:0:ffff:') ? bytes.slice(12).join('.') : groups
}

/** An address of a machine as if_inet6 or fib_trie write it, in the form of {@link addressText}. */
export function plainAddress(text: string): string {
  if (!/^[0-9a-f]{32}$/i.test(text)) return text.replace(MAPPED, '')
  return (text.match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16)).join(':')
}

/**
 * Whether two sockets would get what is sent to the same address. An IPv6 socket for all addresses has those of IPv4 too,
 * unless it has said that it does not, which nobody can see from outside.
 */
export function overlap(one: Partial<PortInUse>, other: Partial<PortInUse>): boolean {
  if (kindOf(one.table) !== kindOf(other.table) || one.port !== other.port) return false
  return one.address === other.address || covers(one, other) || covers(other, one)
}

function covers({ table, address = '' }: Partial<PortInUse>, other: Partial<PortInUse>): boolean {
  return isWildcard(address) && (table === other.table || table?.endsWith('6') === true)
}

function kindOf(table = ''): string {
  return table.replace(/6$/, '')
}
