import { stat, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { run } from '../base/command.ts'
import { writeAtomically } from '../base/atomic-file.ts'
import type { SshConfiguration } from './ssh-sections.ts'

/** What OpenSSH's client on this machine can be told. */
export type SshClient = {
  /** Whether it has what OpenSSH 8.7 brought to say how a session begins. */
  knowsSession: boolean
  /** The key exchanges that it offers by itself, its own order; none where it does not say. */
  keyExchanges: string[]
}

export const SESSION_OPTIONS = ['StdinNull=no', 'ForkAfterAuthentication=no', 'SessionType=default']

/** Arguments by which a client that has those options prints what it would do, and another one ends with 255. */
export const ASK_FOR_SESSION_OPTIONS = [
  '-F',
  'none',
  ...SESSION_OPTIONS.flatMap((option) => ['-o', option]),
  '-G',
  '--',
  'any',
]

const ASK_MS = 5000

/**
 * The quickest of those that are safe, best first. OpenSSH before 9.9 begins with sntrup761, which costs both ends tens
 * of milliseconds of a CPU; beneath an address of a tailnet is WireGuard, so that nothing is lost by taking another one.
 */
const QUICK = ['mlkem768x25519-sha256', 'curve25519-sha256']

/**
 * What the client can be told. It is asked once for each version of it, where there is a folder to remember it in.
 *
 * @param folder that nobody else can write to
 */
export async function sshClient(folder: string | undefined): Promise<SshClient> {
  const of = folder === undefined ? undefined : await stampOfClient()
  if (folder === undefined || of === undefined) return await asked()
  const file = join(folder, 'ssh-client.json')
  const remembered = parse(await readFile(file, 'utf8').catch(() => ''))
  if (remembered?.of === of) return remembered.client
  const client = await asked()
  // Where it can't be kept, it is asked again.
  await writeAtomically(file, JSON.stringify({ of, client }), 0o600).catch(() => undefined)
  return client
}

/**
 * The key exchanges to try first on a tailnet; undefined where the person or this machine's administrator has said which,
 * or may have said it where only ssh itself looks.
 */
export function quickKeyExchanges(
  { keyExchanges }: SshClient,
  { own, ofSystem }: SshConfiguration,
): string[] | undefined {
  if (/^\s*(?:kexalgorithms|include)\b/im.test(`${own}\n${ofSystem}`)) return undefined
  const known = QUICK.filter((name) => keyExchanges.includes(name))
  return known.length > 0 ? known : undefined
}

/**
 * The key exchange that the client begins with where it is left to it, when there is a quicker one that is as safe as
 * most people need; undefined when it is quick, or somebody has chosen.
 */
export function slowKeyExchange(client: SshClient, configuration: SshConfiguration): string | undefined {
  const [first] = client.keyExchanges
  if (first === undefined || QUICK.includes(first)) return undefined
  return quickKeyExchanges(client, configuration) === undefined ? undefined : first
}

async function asked(): Promise<SshClient> {
  const limits = { timeoutMs: ASK_MS, signal: new AbortController().signal }
  const { exitCode, stdout } = await run({ file: 'ssh', args: ASK_FOR_SESSION_OPTIONS }, limits)
  if (exitCode !== 0) return { knowsSession: false, keyExchanges: [] }
  const list = /^kexalgorithms (.*)$/m.exec(stdout)?.[1] ?? ''
  return { knowsSession: true, keyExchanges: list.split(',').filter((name) => name !== '') }
}

/** Which file it is, and of when: another version is another file. */
async function stampOfClient(): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue
    const path = join(folder, 'ssh')
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile()) return `${path} ${found.ino} ${found.size} ${found.mtimeMs}`
  }
  return undefined
}

function parse(text: string): { of: string; client: SshClient } | undefined {
  try {
    const { of, client } = JSON.parse(text)
    return typeof client.knowsSession === 'boolean' && Array.isArray(client.keyExchanges)
      ? { of, client }
      : undefined
  } catch {
    return undefined
  }
}
