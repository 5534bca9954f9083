import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lateFault, sshFault } from '../../../lib/mesh/ssh-faults.ts'

test.each([
  ['ssh: connect to host 100.64.0.2 port 22: Connection refused', 'unreachable'],
  ['ssh: connect to host 100.64.0.2 port 22: No route to host', 'unreachable'],
  ['ssh: Could not resolve hostname n9: Name or service not known', 'unreachable'],
  ['kex_exchange_identification: read: Connection reset by peer', 'unreachable'],
  ['Connection closed by 100.64.0.2 port 22', 'unreachable'],
  [
    'Unable to negotiate with 100.64.0.2 port 22: no matching host key type found. Their offer: ssh-rsa',
    'unreachable',
  ],
  ['ssh: connect to host 100.64.0.2 port 22: Connection timed out', 'timeout'],
  ['ssh: connect to host 100.64.0.2 port 22: Operation timed out', 'timeout'],
  ['Connection timed out during banner exchange', 'timeout'],
  ['operator@100.64.0.2: Permission denied (publickey,password).', 'auth'],
  ['Received disconnect from 100.64.0.2 port 22:2: Too many authentication failures', 'auth'],
] as const)('%j is %s', (line, outcome) => {
  const reason = line.replace(/^ssh: /, '')
  expect(sshFault(`** some banner **\r\n${line}\r\n`)).toEqual({ outcome, reason })
})

test.each([
  [
    'Host key verification failed.',
    'host-key',
    /^Host key verification failed: reach it by `ssh` by hand, once/,
  ],
  [
    'No ED25519 host key is known for n2.ts.test and you have requested strict checking.',
    'host-key',
    /strict checking: `ssh n2\.ts\.test` by hand asks/,
  ],
  ['No ED25519 host key is known for $(touch x) and you', 'host-key', /^[^`]*$/],
  [
    '/root/.ssh/config: line 3: Bad configuration option: usekeychain\r\n/root/.ssh/config: terminating, 1 bad configuration options',
    'unreachable',
    /line 3: Bad configuration option: usekeychain: ssh itself stops there too/,
  ],
  [
    'tailscale: tailnet policy does not permit you to SSH to this node\r\nConnection closed by 100.64.0.2 port 22',
    'auth',
    /policy does not permit you to SSH to this node: the `ssh` rules/,
  ],
  [
    '# Headscale SSH requires an additional check.\n# visit http://x/y',
    'auth',
    /^Headscale SSH asks for a check: visit http:..x.y$/,
  ],
] as const)('of %j it is told what to do', (stderr, outcome, reason) => {
  expect(sshFault(stderr)).toEqual({ outcome, reason: expect.stringMatching(reason) })
})

test('of a changed host key, the line that names the host is shown', () => {
  const stderr = [
    '@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@',
    '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @',
    '@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@',
    'Offending ED25519 key in known_hosts:3',
    'Host key for n2.ts.test has changed and you have requested strict checking.',
    'Host key verification failed.',
  ].join('\n')
  expect(sshFault(stderr)).toEqual({
    outcome: 'host-key',
    reason:
      "Host key for n2.ts.test has changed and you have requested strict checking: if that is right, `ssh-keygen -R 'n2.ts.test'`",
  })
})

test('any bytes on stderr are an outcome with one plain line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (stderr) => {
      const { outcome, reason } = sshFault(stderr)
      expect(['unreachable', 'timeout', 'auth', 'host-key']).toContain(outcome)
      expect(reason).toMatch(/^[^\u0000-\u001F\u007F-\u009F]+$/)
    }),
  )
})

test('the address of a Tailscale SSH check is passed on, whether ssh gave up or we did', () => {
  const banner =
    '# Tailscale SSH requires an additional check.\n# To authenticate, visit: https://login.example/a/123\n'
  const asked = {
    outcome: 'auth',
    reason: 'Tailscale SSH asks for a check: visit https://login.example/a/123',
  }
  expect(lateFault(2500, { stdout: '', stderr: banner }, 'abc')).toEqual(asked)
  expect(sshFault(`${banner}Connection timed out during banner exchange\n`)).toEqual(asked)
})

test('a key that has to be touched is told', () => {
  const stderr = 'Confirm user presence for key ED25519-SK SHA256:abc\n'
  const touch = { outcome: 'auth', reason: expect.stringMatching(/^your security key waits to be touched: /) }
  expect(lateFault(2500, { stdout: '', stderr }, 'abc')).toEqual(touch)
  expect(
    sshFault(
      `${stderr}sign_and_send_pubkey: signing failed for ED25519-SK\nn2: Permission denied (publickey).`,
    ),
  ).toEqual(touch)
})

test.each([
  ['', 'timeout', 'no answer within 2.5 s'],
  ['\nabc begin\nload 1', 'timeout', 'no answer within 2.5 s'],
  ['hello\nso much\u001B[31m to say\n', 'timeout', 'no answer within 2.5 s, only: so much to say'],
  ['y\n'.repeat(100_000), 'bad-output', 'it prints without end instead of an answer'],
] as const)('of who prints %j in time, %s is told', (stdout, outcome, reason) => {
  expect(lateFault(2500, { stdout, stderr: '' }, 'abc')).toEqual({ outcome, reason })
})
