import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Failure } from '../../../lib/base/errors.ts'
import { parseStatus } from '../../../lib/mesh/tailscale-status.ts'

const SELF = {
  HostName: 'n1',
  DNSName: 'n1.ts.test.',
  OS: 'linux',
  TailscaleIPs: ['100.64.0.1'],
  Online: true,
  UserID: 1,
}
const PEER = {
  ...SELF,
  HostName: 'n2',
  DNSName: 'n2.ts.test.',
  TailscaleIPs: ['fd7a::2', '100.64.0.2'],
  Active: true,
  CurAddr: '10.0.0.2:41641',
  Relay: 'lab',
}
const status = (...peers: unknown[]) =>
  JSON.stringify({
    BackendState: 'Running',
    Self: SELF,
    User: { 1: {} },
    Peer: Object.fromEntries(peers.map((peer, index) => [`nodekey:${index}`, peer])),
  })
const peersOf = (...peers: unknown[]) => parseStatus(status(...peers)).nodes.slice(1)

test('this machine comes first, and a peer is reached by its tailnet address under its DNS name', () => {
  expect(parseStatus(status(PEER)).nodes).toEqual([
    { name: 'n1', address: '100.64.0.1', os: 'linux', self: true },
    {
      name: 'n2',
      address: '100.64.0.2',
      os: 'linux',
      self: false,
      connection: { trit: 1, via: 'direct', over: '10.0.0.2:41641' },
      ssh: { host: 'n2', tailnet: { ip: '100.64.0.2', dnsName: 'n2.ts.test', hostKeys: [] } },
    },
  ])
})

test.each([
  ['IPv6 alone', ['fd7a::1'], 'fd7a::2'],
  ['IPv4 alone', ['100.64.0.1'], '100.64.0.2'],
  ['both', ['100.64.0.1', 'fd7a::1'], '100.64.0.2'],
  ['none that is known', null, '100.64.0.2'],
])(
  'where this machine has %s, a peer is reached by an address that it can reach',
  (_, TailscaleIPs, expected) => {
    const output = { ...JSON.parse(status(PEER)), Self: { ...SELF, TailscaleIPs } }
    expect(parseStatus(JSON.stringify(output)).nodes[1]).toMatchObject({
      address: expected,
      ssh: { tailnet: { ip: expected } },
    })
  },
)

test('a daemon without a device of the system is told of', () => {
  const output = JSON.parse(status(PEER))
  expect(parseStatus(JSON.stringify({ ...output, TUN: false }))).toMatchObject({ userspace: true })
  for (const TUN of [true, 'no'])
    expect(parseStatus(JSON.stringify({ ...output, TUN }))).not.toHaveProperty('userspace')
})

test('a tailnet of one has no peers, and no peers may be null', () => {
  expect(parseStatus(JSON.stringify({ BackendState: 'Running', Self: SELF, Peer: null })).nodes).toHaveLength(
    1,
  )
})

test.each([
  ['an iPhone', { OS: 'iOS' }, 'skipped', /iOS/],
  ['an Android phone', { OS: 'android' }, 'skipped', /Android/],
  ['a TV', { OS: 'tvOS' }, 'skipped', /TV/],
  ['a Windows machine', { OS: 'windows' }, 'skipped', /Windows/],
  ['a Mullvad exit node', { Location: { Country: 'x' }, UserID: 0 }, 'skipped', /Mullvad/],
  [
    'a Mullvad exit node of an unlisted user',
    { Location: { Country: 'x' }, UserID: 77 },
    'skipped',
    /Mullvad/,
  ],
  ['a sharee', { ShareeNode: true }, 'skipped', /shared/],
  ['an expired node', { Expired: true, Online: false }, 'skipped', /expired/],
  ['a node without addresses', { TailscaleIPs: null }, 'skipped', /address/],
  ['an address that is none', { TailscaleIPs: ['-oProxyCommand=x', 'fe80::1%h'] }, 'skipped', /address/],
  ['an offline node', { Online: false, LastSeen: '2026-01-02T03:04:05Z' }, 'offline', /2026-01-02 03:04/],
  [
    'an offline node that was never seen',
    { Online: false, LastSeen: '0001-01-01T00:00:00Z' },
    'offline',
    /not conn/,
  ],
] as const)('%s is not tried, and it says why', (_, change, outcome, reason) => {
  const [node] = peersOf({ ...PEER, ...change })
  expect(node?.ssh).toBeUndefined()
  expect(node?.left?.outcome).toBe(outcome)
  expect(node?.left?.reason).toMatch(reason)
})

test("an exit node of one's own may have a location", () => {
  expect(peersOf({ ...PEER, Location: { Country: 'x' } })[0]?.ssh).toBeDefined()
})

test('a node is named by its DNS name, never by the name that it gives itself', () => {
  const hostile = { ...PEER, HostName: '-oProxyCommand=touch owned' }
  expect(peersOf(hostile)[0]?.ssh?.host).toBe('n2')
})

test('two first labels that collide are told apart by the whole name', () => {
  const other = { ...PEER, DNSName: 'n2.other.test.', TailscaleIPs: ['100.64.0.3'] }
  expect(peersOf(PEER, other).map(({ name }) => name)).toEqual(['n2.ts.test', 'n2.other.test'])
})

test.each(['', '-oX.ts.test.', 'a b.', '.', '../x.'])('a DNS name %j gives way to the address', (DNSName) => {
  expect(peersOf({ ...PEER, DNSName })[0]?.name).toBe('100.64.0.2')
})

test.each([
  [
    { Active: true, CurAddr: '1.2.3.4:5' },
    { trit: 1, via: 'direct', over: '1.2.3.4:5' },
  ],
  [
    { Active: true, CurAddr: '' },
    { trit: 0, via: 'relay', over: 'lab' },
  ],
  [
    { Active: false, CurAddr: '' },
    { trit: -1, via: 'none' },
  ],
  [
    { Active: false, CurAddr: '1.2.3.4:5' },
    { trit: -1, via: 'none' },
  ],
] as const)('a peer with %o has the connection %o', (change, connection) => {
  expect(peersOf({ ...PEER, ...change })[0]?.connection).toEqual(connection)
})

test('host keys are taken when a known-hosts file can hold them', () => {
  const good = `ssh-ed25519 ${'A'.repeat(68)}`
  const sshHostKeys = [`${good} comment`, 'ssh-rsa AAAA\n* ssh-rsa BBBB', 'nonsense']
  expect(peersOf({ ...PEER, sshHostKeys })[0]?.ssh?.tailnet?.hostKeys).toEqual([good])
})

test.each([
  ['Stopped', /Tailscale is stopped: run `tailscale up`/],
  ['NeedsLogin', /logged out: run `tailscale up`/],
  ['NeedsMachineAuth', /approved/],
  ['Starting', /starting/],
  ['\u001B[31mNew', /state "New"/],
])('in the state %j there is no tailnet, and it says what to do', (BackendState, message) => {
  expect(() => parseStatus(JSON.stringify({ BackendState, Self: null, Peer: null }))).toThrow(message)
})

/** Parses, and takes a Failure for an outcome; anything else that is thrown fails the test. */
function nodes(output: string) {
  try {
    return parseStatus(output).nodes
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

test('any bytes are a Failure and nothing worse', () => {
  const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constantFrom('', 'null', '[]', '{}'))
  fc.assert(
    fc.property(anything, (text) => {
      expect(nodes(text)).toBeUndefined()
    }),
  )
})

test('peers filled with anything give unique names, and only addresses to connect to', () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('n1.ts.test.', 'n2.ts.test.', '100.64.0.9', '-oX', true),
  )
  const keys = Object.keys({
    ...PEER,
    ShareeNode: 1,
    Expired: 1,
    Location: 1,
    sshHostKeys: 1,
    Tags: 1,
    LastSeen: 1,
  })
  const change = fc.dictionary(fc.constantFrom(...keys), value).map((fields) => ({ ...PEER, ...fields }))
  fc.assert(
    fc.property(fc.array(fc.oneof(change, fc.jsonValue()), { maxLength: 4 }), (peers) => {
      const found = nodes(status(...peers)) ?? []
      for (const { name, ssh } of found) {
        expect(name).toMatch(/^$|^[A-Za-z0-9][A-Za-z0-9.:-]*$/)
        if (ssh) expect(ssh.tailnet?.ip).toMatch(/^[0-9a-fA-F.:]+$/)
      }
    }),
    { numRuns: 1000 },
  )
})

test('a machine that has lost the coordination server does not believe that its peers are offline, and says so', () => {
  const of = (Online: unknown) =>
    parseStatus(
      JSON.stringify({
        BackendState: 'Running',
        Self: { ...SELF, Online },
        Peer: {
          a: { ...PEER, Online: false },
          b: { ...PEER, DNSName: 'n3.ts.test.', OS: 'iOS', Online: false },
        },
      }),
    )
  const outcomes = (found: readonly { left?: { outcome: string } }[]) =>
    found.map(({ left }) => left?.outcome)
  expect(outcomes(of(false).nodes)).toEqual([undefined, undefined, 'skipped'])
  expect(of(false).warning).toMatch(/^this machine has lost Tailscale's coordination server/)
  for (const told of [true, undefined, 'no']) {
    expect(outcomes(of(told).nodes)).toEqual([undefined, 'offline', 'skipped'])
    expect(of(told).warning).toBeUndefined()
  }
})
