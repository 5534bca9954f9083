import { lastLine, plain } from '../base/text.ts'
import type { Fault } from './node.ts'

type SshFault = Exclude<Fault, 'offline' | 'skipped'>

/** What ssh's client says, the more decisive lines first: the first sign that any line of its stderr shows wins. */
const SIGNS: [RegExp, SshFault][] = [
  [/Bad configuration option: |: no argument after keyword |: missing argument\.?$/, 'unreachable'],
  [/Host key for .* has changed/, 'host-key'],
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, 'host-key'],
  [/Host key verification failed|No .* host key is known for|Host key .* revoked/, 'host-key'],
  [/tailnet policy does not permit you to SSH/, 'auth'],
  [/Permission denied \(|Permission denied, please try again|Too many authentication failures/, 'auth'],
  [/no matching (?:host key type|key exchange method|cipher|mac) found/i, 'unreachable'],
  [/[Cc]onnection timed out|Operation timed out|timed out during banner exchange|not responding/, 'timeout'],
  [
    /^ssh: |^kex_exchange_identification: |^ssh_exchange_identification: |^Connection (?:closed|reset) /,
    'unreachable',
  ],
]

// A name that may be part of a command that is shown.
const NAME = String.raw`([A-Za-z0-9_.:[\]-]{1,255})`
/** What a person can do about a line, to read on after it. */
const TO_DO: [RegExp, (name: string) => string][] = [
  [new RegExp(`Host key for ${NAME} has changed`), (name) => `if that is right, \`ssh-keygen -R '${name}'\``],
  [
    new RegExp(`host key is known for ${NAME} `),
    (name) => `\`ssh ${name}\` by hand asks, once, whether to trust it`,
  ],
  [
    /^Host key verification failed/,
    () => 'reach it by `ssh` by hand, once, and say whether to trust its key',
  ],
  [/tailnet policy does not permit/, () => 'the `ssh` rules of the tailnet’s policy say who may'],
  [/Bad configuration option/, () => 'ssh itself stops there too: mend that line'],
]

/**
 * What it means that ssh ended with status 255 (its own failure) and these lines on stderr.
 * Everything there may be the other machine's text: it chooses a word of ours and is shown, made plain.
 */
export function sshFault(stderr: string): { outcome: SshFault; reason: string } {
  const asked = askedOf(stderr)
  if (asked !== undefined) return { outcome: 'auth', reason: asked }
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => plain(line))
    .filter((line) => line !== '' && !/^@+$/.test(line))
  for (const [sign, outcome] of SIGNS) {
    const line = lines.find((text) => sign.test(text))
    if (line !== undefined) return { outcome, reason: withToDo(line.replace(/^ssh: /, '')) }
  }
  return { outcome: 'unreachable', reason: lines.at(-1) ?? 'ssh failed without a word' }
}

function withToDo(line: string): string {
  for (const [sign, toDo] of TO_DO) {
    const match = sign.exec(line)
    if (match) return `${line.replace(/\.$/, '')}: ${toDo(match[1] ?? '')}`
  }
  return line
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
  { stdout, stderr }: { stdout: string; stderr: string },
  nonce?: string,
): { outcome: SshFault; reason: string } {
  const asked = askedOf(stderr)
  if (asked !== undefined) return { outcome: 'auth', reason: asked }
  const greeting = nonce !== undefined && stdout.includes(nonce) ? '' : stdout
  if (greeting.length > MUCH_CHARACTERS) return { outcome: 'bad-output', reason: ENDLESS }
  const line = lastLine(greeting, 80)
  const instead = line === undefined ? '' : `, only: ${line}`
  return { outcome: 'timeout', reason: `no answer within ${(timeoutMs / 1000).toFixed(1)} s${instead}` }
}

/** Whether it was turned away at the door: where many come at once, a bastion's sshd closes some (MaxStartups). */
export function wasTurnedAway(stderr: string): boolean {
  return /^(?:kex|ssh)_exchange_identification: |^Connection (?:closed|reset) by UNKNOWN port /m.test(stderr)
}

export const BROKEN_OFF = 'ssh: the kept connection broke'

/** Whether a connection that several share ended under one of them: an ssh says nothing of its own then. */
export function wasCutOff(stderr: string): boolean {
  return stderr.trim() === '' || stderr.includes(BROKEN_OFF) || /^mux_?client/m.test(stderr)
}

/** What the person is asked for, and ssh or the other machine waits for: nobody else can give it. */
function askedOf(stderr: string): string | undefined {
  // OpenSSH's client says so of a key of a security token.
  if (/^Confirm user presence for key /m.test(stderr))
    return 'your security key waits to be touched: touch it, or run `ssh` by hand first'
  return tailscaleCheck(stderr)
}

/**
 * Where Tailscale's ssh, or Headscale's, waits for the person to prove who they are, the address to visit. (Headscale's
 * says "Authentication checked" before anybody has.)
 */
function tailscaleCheck(stderr: string): string | undefined {
  const whose = /(Tailscale|Headscale) SSH requires an additional check/.exec(stderr)?.[1]
  if (whose === undefined) return undefined
  const url = /https?:\/\/\S{1,200}/.exec(stderr)?.[0]
  return `${whose} SSH asks for a check${url === undefined ? '' : `: visit ${plain(url)}`}`
}
