import { shellWord } from '../base/shell.ts'
import type { SshDestination } from './node.ts'
import { SESSION_OPTIONS } from './ssh-client.ts'

export type SshFiles = {
  /** Socket of the kept connection; absent where no safe folder for it could be had. */
  controlPath?: string
  /** Host keys that the coordination server vouches for. */
  knownHosts?: string
  /** Whether the client has what OpenSSH 8.7 brought to say how a session begins. */
  knowsSession?: boolean
  /** What the person has set for this machine under another of its names; see `optionsOfOtherNames`. */
  more?: readonly string[]
  /** The cipher that is to be tried before those of ssh's own choice. */
  cipher?: string
  /** The same of key exchanges, the first one first; only for addresses of a tailnet. */
  keyExchanges?: readonly string[]
}

/**
 * Arguments of OpenSSH's client for one command on a node.
 *
 * The person's own configuration for that host still applies (User, IdentityFile, Port, ProxyJump, …); what would
 * reach back to this machine, ask a question or run something else is turned off. The destination is given
 * by `--`, so that no name can be an option.
 *
 * @param command one POSIX shell command for the other side, without data from elsewhere in it
 */
export function sshArguments(
  destination: SshDestination,
  command: string,
  connectTimeoutSeconds: number,
  files: SshFiles,
): string[] {
  const { host, user, port, tailnet } = destination
  const options = [
    'BatchMode=yes',
    `ConnectTimeout=${Math.max(1, Math.ceil(connectTimeoutSeconds))}`,
    'ForwardAgent=no',
    'ForwardX11=no',
    'ClearAllForwardings=yes',
    'Tunnel=no',
    'PermitLocalCommand=no',
    'RemoteCommand=none',
    'RequestTTY=no',
    // Older clients can't be told to do what these turn off. (IgnoreUnknown would take the place of the person's own.)
    ...(files.knowsSession ? SESSION_OPTIONS : []),
    'LogLevel=INFO',
    'ServerAliveInterval=5',
    'ServerAliveCountMax=3',
    ...(tailnet ? tailnetOptions(tailnet, files.knownHosts) : []),
    ...controlOptions(files.controlPath),
    ...(files.cipher === undefined ? [] : [`Ciphers=^${files.cipher}`]),
    ...(files.keyExchanges ? [`KexAlgorithms=^${files.keyExchanges.join(',')}`] : []),
    ...(files.more ?? []),
  ]
  return [
    ...options.flatMap((option) => ['-o', option]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    host,
    command,
  ]
}

/** The same for a command that a person sits at: it has a terminal, and ssh says nothing of its own about the connection. */
export function atTerminal(...destined: Parameters<typeof sshArguments>): string[] {
  return sshArguments(...destined).map((word) => {
    if (word === 'RequestTTY=no') return 'RequestTTY=force'
    return word === 'LogLevel=INFO' ? 'LogLevel=ERROR' : word
  })
}

/** A tailnet address is bound to its node's key, so a key that is seen for the first time may be accepted. */
function tailnetOptions(
  { ip, dnsName, through }: NonNullable<SshDestination['tailnet']>,
  knownHosts: string | undefined,
): string[] {
  // ssh takes a percent sign for the beginning of a token.
  const options = [
    `HostName=${ip}`,
    `HostKeyAlias=${dnsName}`,
    'StrictHostKeyChecking=accept-new',
    ...(through === undefined ? [] : [`ProxyCommand=${shellWord(through).replaceAll('%', '%%')} nc %h %p`]),
  ]
  if (knownHosts === undefined) return options
  const files = [knownHosts, '/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']
  return [...options, `GlobalKnownHostsFile=${files.map((file) => quotedForConfig(file)).join(' ')}`]
}

/** The connection is kept for a minute, so that the next run, or the next step, need not greet again. */
function controlOptions(controlPath: string | undefined): string[] {
  if (controlPath === undefined) return ['ControlMaster=no', 'ControlPath=none']
  return ['ControlMaster=auto', `ControlPath=${quotedForConfig(controlPath)}`, 'ControlPersist=60']
}

/** Arguments that tell the master behind a kept connection to exit. It reads no configuration. */
export function exitMasterArguments(controlPath: string): string[] {
  return ['-F', 'none', '-o', `ControlPath=${quotedForConfig(controlPath)}`, '-O', 'exit', '--', 'master']
}

/** A path as ssh_config(5) reads one: a blank does not end it, and a percent sign is itself. */
function quotedForConfig(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`
}
