import { execa } from 'execa'
import { expect, test } from 'vitest'
import { ASK_FOR_SESSION_OPTIONS } from '../../../lib/mesh/ssh-client.ts'
import { sshArguments } from '../../../lib/mesh/ssh.ts'
import type { SshDestination } from '../../../lib/mesh/node.ts'

const TAILNET: SshDestination = {
  host: 'n2',
  tailnet: { ip: '100.64.0.2', dnsName: 'n2.ts.test', hostKeys: [] },
}

/** What OpenSSH itself makes of the arguments: `ssh -G` prints the configuration that it would use. */
async function configuration(destination: SshDestination, files = {}): Promise<Map<string, string>> {
  const args = sshArguments(destination, 'true', 3.2, files)
  const { stdout } = await execa('ssh', ['-F', 'none', '-G', ...args])
  return new Map(stdout.split('\n').map((line) => [line.replace(/ .*/, ''), line.replace(/^\S+ /, '')]))
}

test('ssh connects to the tailnet address and remembers the key under the DNS name', async () => {
  const config = await configuration(TAILNET)
  expect(config.get('hostname')).toBe('100.64.0.2')
  expect(config.get('hostkeyalias')).toBe('n2.ts.test')
  expect(config.get('stricthostkeychecking')).toBe('accept-new')
})

test('what the client has is turned off; what it has not, and what the person wants ignored, is left alone', async () => {
  expect((await execa('ssh', ASK_FOR_SESSION_OPTIONS)).exitCode).toBe(0)
  const config = await configuration(TAILNET, { knowsSession: true })
  for (const option of ['stdinnull', 'forkafterauthentication']) expect(config.get(option)).toBe('no')
  expect(config.get('sessiontype')).toBe('default')
  const old = sshArguments(TAILNET, 'true', 3, { knowsSession: false }).join(' ')
  expect(old).not.toMatch(/SessionType|StdinNull|ForkAfter|IgnoreUnknown/)
})

test("of a named host the person's own settings stand", async () => {
  const config = await configuration({ host: 'n9', user: 'operator', port: 2222 })
  expect(config.get('hostname')).toBe('n9')
  expect(config.get('user')).toBe('operator')
  expect(config.get('port')).toBe('2222')
  expect(config.get('stricthostkeychecking')).toBe('ask')
})

test('nothing is forwarded, asked or run on this side', async () => {
  const config = await configuration(TAILNET)
  const off = ['forwardagent', 'forwardx11', 'permitlocalcommand', 'tunnel', 'requesttty']
  for (const option of off) expect(config.get(option), option).toMatch(/^(?:no|false)$/)
  expect(config.get('batchmode')).toBe('yes')
  expect(config.get('clearallforwardings')).toBe('yes')
  expect(config.get('connecttimeout')).toBe('4')
})

test('key exchanges that are preferred come first, and ssh still has its own', async () => {
  const usual = (await configuration(TAILNET)).get('kexalgorithms')?.split(',') ?? []
  const config = await configuration(TAILNET, { keyExchanges: ['curve25519-sha256'] })
  const [first, ...others] = config.get('kexalgorithms')?.split(',') ?? []
  expect(first).toBe('curve25519-sha256')
  expect(others).toEqual(usual.filter((name) => name !== first))
})

test('what only tailscale has a way to is reached through it, whatever its path is called', async () => {
  const through = "/opt/Tail scale's 100%/tailscale"
  const config = await configuration({
    host: 'n2',
    tailnet: { ip: 'fd7a::2', dnsName: 'n2.ts.test', hostKeys: [], through },
  })
  expect(config.get('proxycommand')).toBe("'/opt/Tail scale'\\''s 100%%/tailscale' nc %h %p")
  expect(config.get('hostname')).toBe('fd7a::2')
})

test('paths with blanks and percent signs reach ssh as they are', async () => {
  const files = { controlPath: '/tmp/a b/100%h', knownHosts: '/tmp/a b/keys' }
  const config = await configuration(TAILNET, files)
  expect(config.get('controlpath')).toBe('/tmp/a b/100%h')
  expect(config.get('controlpersist')).toBe('60')
  expect(config.get('globalknownhostsfile')).toContain('/tmp/a b/keys')
})

test('the destination and the command stand behind the end of the options', () => {
  expect(sshArguments(TAILNET, 'exec sh -s', 5, {}).slice(-3)).toEqual(['--', 'n2', 'exec sh -s'])
})
