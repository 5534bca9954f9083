import { run, type Limits } from '../../base/command.ts'
import { Failure, Interrupted } from '../../base/errors.ts'
import { tailnet } from '../../mesh/tailscale.ts'
import { lastLine, plain } from '../../base/text.ts'
import { slowKeyExchange, sshClient } from '../../mesh/ssh-client.ts'
import { readConfiguration } from '../../mesh/ssh-sections.ts'
import type { Finding } from './findings.ts'

/** What the machine that this program runs on needs to look at others. @throws the signal's reason */
export async function ownFindings(limits: Limits): Promise<Finding[]> {
  const [client, quick, tailscale] = await Promise.all([ownSsh(limits), keyExchange(), ownTailscale(limits)])
  return [client, ...quick, tailscale]
}

async function ownSsh(limits: Limits): Promise<Finding> {
  const { stderr, exitCode } = await run({ file: 'ssh', args: ['-V'] }, limits)
  if (exitCode === 0) return { check: 'ssh client', state: 'fine', says: lastLine(stderr, 60) ?? 'there' }
  return {
    check: 'ssh client',
    state: 'missing',
    says: 'not installed',
    todo: '`apt install openssh-client`',
  }
}

/**
 * What the client's own choice costs where it is left to it, which is everywhere but on a tailnet. OpenSSH 9.2 on two CPUs
 * of 2026 took 0.12 s of a CPU for a connection by sntrup761, and 0.02 s for one by curve25519.
 */
async function keyExchange(): Promise<Finding[]> {
  const [client, configuration] = await Promise.all([sshClient(undefined), readConfiguration()])
  const slow = slowKeyExchange(client, configuration)
  if (slow === undefined) return []
  const says = `${plain(slow, 60)} outside the tailnet: each new connection costs about 0.1 s of a CPU`
  const todo = 'OpenSSH 9.9 or newer, or `KexAlgorithms ^curve25519-sha256` for those hosts in ~/.ssh/config'
  return [{ check: 'key exchange', state: 'optional', says, todo }]
}

async function ownTailscale(limits: Limits): Promise<Finding> {
  const check = 'tailnet'
  const hosts = 'install and start tailscale (tailscale.com/download), or name machines with --hosts'
  try {
    const found = await tailnet(limits)
    if (!found.running) return { check, state: 'optional', says: found.why, todo: hosts }
    return { check, state: 'fine', says: `${found.nodes.length} machines` }
  } catch (error) {
    if (error instanceof Interrupted || !(error instanceof Failure)) throw error
    return { check, state: 'missing', says: error.message, todo: hosts }
  }
}
