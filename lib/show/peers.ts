import type { ChalkInstance } from 'chalk'
import type { PeersResult } from '../../verbs/share/schemas.ts'
import { table } from './table.ts'

export async function peerLines(
  peers: PeersResult['peers'],
  colours: ChalkInstance,
  width: number,
): Promise<string[]> {
  const columns = [
    { head: 'NODE', shrinks: true as const },
    { head: 'ALIAS', shrinks: true as const },
    { head: 'TYPE', optional: 1 },
    { head: 'VERSION' },
    { head: 'PROTOCOL' },
    { head: 'FINGERPRINT', shrinks: true as const },
  ]
  const rows = peers.map(({ name, alias, deviceType, version, protocol, fingerprint }) => [
    { text: name, style: colours.bold },
    alias,
    deviceType,
    version,
    protocol,
    fingerprint ?? 'none',
  ])
  return await table(columns, rows, width, colours.dim)
}
