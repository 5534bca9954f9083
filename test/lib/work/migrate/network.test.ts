import { expect, test } from 'vitest'
import { addressText, overlap, plainAddress } from '../../../../lib/work/migrate/facts/addresses.ts'
import type { PortInUse, SocketFacts, TargetFacts } from '../../../../lib/work/migrate/facts/facts.ts'
import { changes, criuOptions, refusals, wantedOf } from '../../../../lib/work/migrate/preflight.ts'
import { file, source, target, task } from './snapshots.ts'

const NEWER = { version: '4.2.1', check: { ok: true, line: 'Looks good.' } }
const ALL = '00000000'
const ALL_6 = '0'.repeat(32)
const LOOPBACK = '0100007F'
const LAN = '0B00630A' // 10.99.0.11
const tcp = { inode: '77', table: 'tcp', state: '0A', address: ALL, port: 80 }
const udp = { ...tcp, table: 'udp', state: '07' }

/** A source that has these sockets. */
function having(sockets: SocketFacts[], criu = NEWER, others = {}) {
  const open = sockets.map(({ inode }) => file(`socket:[${inode}]`, { kind: 'socket', deleted: true }))
  return source({ criu, sockets, tree: [task({ open })], ...others })
}

const codes = (from: ReturnType<typeof having>, to?: TargetFacts, closeConnections = false) =>
  refusals(from, to, { copyFiles: true, force: false, closeConnections }).map(({ code }) => code)
const there = (more: Partial<TargetFacts> = {}) => target({ criu: NEWER, ...more })

test.each<[what: string, socket: SocketFacts, older: string, newer: string[]]>([
  ['listens', tcp, 'tcp-socket', []],
  ['listens by IPv6', { ...tcp, table: 'tcp6', address: ALL_6 }, 'tcp-socket', []],
  ['is connected', { ...tcp, state: '01' }, 'tcp-socket', ['tcp-connection']],
  ['is closed by the other end', { ...tcp, state: '08' }, 'tcp-socket', ['tcp-connection']],
  ['is of UDP', udp, 'udp-socket', []],
  ['is of UDP and connected', { ...udp, state: '01' }, 'udp-socket', ['udp-socket']],
  ['is raw', { inode: '77', table: 'raw', state: '07' }, 'raw-socket', ['raw-socket']],
  ['is a packet socket', { inode: '77', table: 'packet' }, 'raw-socket', ['raw-socket']],
  ['stands in no table', { inode: '77' }, 'unknown-socket', []],
])('a socket that %s: what an older criu leaves, and what a newer one does', (_, socket, older, newer) => {
  const old = { ...NEWER, version: '4.1.1' }
  expect(codes(having([socket], old))).toEqual([older])
  expect(codes(having([socket]))).toEqual(newer)
})

test('a target with an older criu does not take what a newer one has frozen', () => {
  expect(codes(having([tcp]), there({ criu: { ...NEWER, version: '4.1.1' } }))).toEqual(['criu-version'])
  expect(codes(having([tcp]), there({ criu: { ...NEWER, version: '4.3' } }))).toEqual([])
})

test('connections go along where they may be closed, and the plan says so; otherwise nothing of them is said', () => {
  const connected = having([tcp, { ...tcp, inode: '78', state: '01' }])
  expect(codes(connected, undefined, true)).toEqual([])
  expect(criuOptions(connected, { closeConnections: true })).toEqual({ criu: { tcpClose: true } })
  expect(criuOptions(connected, {})).toEqual({})
  expect(criuOptions(having([udp]), { closeConnections: true })).toEqual({})
  const said = changes(connected, undefined, { closeConnections: true }).join('\n')
  expect(said).toContain('the connections of PID 500 (python3) are closed, as if the other end had: 1 now')
  expect(said).toContain('PID 500 (python3) listens on port 80 there, and no longer on laptop')
})

test('a socket that a process outside has too stays', () => {
  const outside = [{ inode: '77', pid: 7, command: 'nginx' }]
  expect(codes(having([tcp], NEWER, { outside }))).toEqual(['socket-outside'])
  expect(codes(having([tcp], NEWER, { outside: [{ ...outside[0], inode: '76' }] }))).toEqual([])
})

test('the target is asked about the ports that have to be free there', () => {
  const sockets = [tcp, { ...udp, inode: '78', port: 53 }, { ...tcp, inode: '79', state: '01', port: 40_000 }]
  expect(wantedOf(having(sockets)).ports).toEqual([80, 53])
})

test.each<[what: string, socket: SocketFacts, to: Partial<TargetFacts>, codes: string[]]>([
  ['all addresses', tcp, {}, []],
  ['loopback', { ...tcp, address: LOOPBACK }, {}, []],
  ['an address that it has', { ...tcp, address: LAN }, { addresses: ['10.99.0.11'] }, []],
  [
    'an address that it has not',
    { ...tcp, address: LAN },
    { addresses: ['10.99.0.12'] },
    ['address-missing'],
  ],
  ['an address of UDP that it has not', { ...udp, address: LAN }, { addresses: [] }, ['address-missing']],
  ['a port that somebody has', tcp, { inUse: [{ table: 'tcp', port: 80, address: ALL }] }, ['port-taken']],
  ['a port that somebody has for UDP', tcp, { inUse: [{ table: 'udp', port: 80, address: ALL }] }, []],
])('what listens on %s, at the target', (_, socket, to, expected) => {
  expect(codes(having([socket]), there({ addresses: [], inUse: [], ...to }))).toEqual(expected)
})

test.each<[string, PortInUse, PortInUse, boolean]>([
  ['the same', { ...tcp }, { ...tcp }, true],
  ['another port', { ...tcp }, { ...tcp, port: 81 }, false],
  ['one of all addresses', { ...tcp }, { ...tcp, address: LAN }, true],
  ['two addresses', { ...tcp, address: LOOPBACK }, { ...tcp, address: LAN }, false],
  ['IPv6 for all', { ...tcp, table: 'tcp6', address: ALL_6 }, { ...tcp, address: LAN }, true],
  ['IPv6 for all, there', { ...tcp }, { ...tcp, table: 'tcp6', address: ALL_6 }, true],
  [
    'IPv4 for all and one of IPv6',
    { ...tcp },
    { ...tcp, table: 'tcp6', address: `${'0'.repeat(24)}01000000` },
    false,
  ],
])('two sockets get what is sent to the same address: %s', (_, one, other, expected) => {
  expect(overlap(one, other)).toBe(expected)
  expect(overlap(other, one)).toBe(expected)
})

test.each([
  [ALL, 'x86_64', 'all addresses'],
  [ALL_6, 'x86_64', 'all addresses'],
  [LOOPBACK, 'x86_64', '127.0.0.1'],
  ['7F000001', 's390x', '127.0.0.1'],
  [`${'0'.repeat(24)}01000000`, 'x86_64', '0:0:0:0:0:0:0:1'],
  ['0000000000000000FFFF00000B00630A', 'aarch64', '10.99.0.11'],
])('the kernel writes %s on %s for %s', (address, arch, text) => {
  expect(addressText(address, arch)).toBe(text)
})

test('addresses of a machine are written as those of sockets are', () => {
  expect(plainAddress('fe800000000000000000000000000001')).toBe('fe80:0:0:0:0:0:0:1')
  expect(plainAddress('10.99.0.11')).toBe('10.99.0.11')
})
