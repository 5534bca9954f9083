import { lastLine, plain } from '../text.ts'
import type { Fault } from './node.ts'

type SshFault = Exclude<Fault, 'offline' | 'skipped'>

/** What ssh's client says, the more decisive lines first: the first sign that any line of its stderr shows wins. */
const SIGNS: [RegExp, SshFault][] = [
  [/Host key for .* has changed/, 'host-key'],
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, 'host-key'],
  [/Host key verification failed|No .* host key is known for|Host key .* revoked/, 'host-key'],
  [/Permission denied \(|Permission denied, please try again|Too many authentication failures/, 'auth'],
  [/no matching (?:host key type|key exchange method|cipher|mac) found/i, 'unreachable'],
  [/[Cc]onnection timed out|Operation timed out|timed out during banner exchange|not responding/, 'timeout'],
  [/Tailscale SSH requires an additional check/, 'auth'],
  [
    /^ssh: |^kex_exchange_identification: |^ssh_exchange_identification: |^Connection (?:closed|reset) /,
    'unreachable',
  ],
]

/**
 * What it means that ssh ended with status 255 (its own failure) and these lines on stderr.
 * Everything there may be the other machine's text: it chooses a word of ours and is shown, made plain.
 */
export function sshFault(stderr: string): { outcome: SshFault; reason: string } {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => plain(line))
    .filter((line) => line !== '' && !/^@+$/.test(line))
  for (const [sign, outcome] of SIGNS) {
    const line = lines.find((text) => sign.test(text))
    if (line !== undefined) return { outcome, reason: line.replace(/^ssh: /, '') }
  }
  return { outcome: 'unreachable', reason: lines.at(-1) ?? 'ssh failed without a word' }
}

/** More than any greeting: who prints that and no answer prints without end. */
const MUCH_CHARACTERS = 65_536
export const ENDLESS = 'it prints without end instead of an answer'

/**
 * What it means that there was no answer in time.
 *
 * @param nonce frames the answer: where it stands in what was printed, the answer had begun
 */
export function lateFault(
  timeoutMs: number,
  stdout: string,
  nonce: string,
): { outcome: SshFault; reason: string } {
  const greeting = stdout.includes(nonce) ? '' : stdout
  if (greeting.length > MUCH_CHARACTERS) return { outcome: 'bad-output', reason: ENDLESS }
  const line = lastLine(greeting, 80)
  const instead = line === undefined ? '' : `, only: ${line}`
  return { outcome: 'timeout', reason: `no answer within ${(timeoutMs / 1000).toFixed(1)} s${instead}` }
}

/** Where Tailscale SSH waits for the person to prove who they are, the address to visit. */
export function tailscaleCheck(stderr: string): string | undefined {
  if (!/Tailscale SSH requires an additional check/.test(stderr)) return undefined
  const url = /https:\/\/\S{1,200}/.exec(stderr)?.[0]
  return `Tailscale SSH asks for a check${url === undefined ? '' : `: visit ${plain(url)}`}`
}
