import { run, type Limits } from '../command.ts'
import { Failure, Interrupted } from '../errors.ts'
import { tailnet } from '../mesh/tailscale.ts'
import { lastLine } from '../text.ts'
import type { Finding } from './findings.ts'

/** What the machine that this program runs on needs to look at others. @throws the signal's reason */
export async function ownFindings(limits: Limits): Promise<Finding[]> {
  return await Promise.all([sshClient(limits), ownTailscale(limits)])
}

async function sshClient(limits: Limits): Promise<Finding> {
  const { stderr, exitCode } = await run({ file: 'ssh', args: ['-V'] }, limits)
  if (exitCode === 0) return { check: 'ssh client', state: 'fine', says: lastLine(stderr, 60) ?? 'there' }
  return {
    check: 'ssh client',
    state: 'missing',
    says: 'not installed',
    todo: '`apt install openssh-client`',
  }
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
