import type { ChalkInstance } from 'chalk'
import { table } from './table.ts'

export type PeerView = {
  /** In the mesh. */
  name: string
  address: string
  port: number
  protocol: 'https' | 'http'
  /** What it calls itself. */
  alias: string
  version: string
  deviceType: string
  /** Of its certificate; over HTTP there is none. */
  fingerprint?: string
}

export function peerLines(peers: readonly PeerView[], colours: ChalkInstance, width: number): string[] {
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
  return table(columns, rows, width, colours.dim)
}
