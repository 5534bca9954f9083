import { readdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { run } from '../base/command.ts'
import type { SshDestination } from './node.ts'

/**
 * A person's `~/.ssh/config` may have a section for a machine under any of its names: `Host n2`, `Host *.ts.net`,
 * `Host 100.*`. ssh looks for the one name that it is given, so what stands under the others is asked of ssh itself.
 */

const SYSTEM = '/etc/ssh'
const ASK_MS = 5000
/** A section that a condition opens, other than one that holds for all, as some systems' own files have. */
const CONDITION = /^\s*match\b(?!\s+(?:(?:final|canonical)\s+)?all\s*$)/im
/** Options whose value is one path, which may have blanks. */
const PATHS = ['identityfile', 'certificatefile', 'identityagent']
/** What of a section decides how a machine is reached, as `ssh -G` names it. The address and the rest are this program's. */
const OPTIONS = [
  [
    'user',
    'port',
    'proxyjump',
    'proxycommand',
    'proxyusefdpass',
    'bindaddress',
    'bindinterface',
    'addressfamily',
  ],
  ['identitiesonly', 'preferredauthentications', 'pubkeyauthentication', 'kexalgorithms', 'ciphers', 'macs'],
  ['hostkeyalgorithms', 'pubkeyacceptedalgorithms', 'compression', 'connectionattempts', ...PATHS],
].flat()

/** The texts of ssh's configuration, with those of the files that they include: the person's own, and this machine's. */
export type SshConfiguration = { own: string; ofSystem: string }

export async function readConfiguration(): Promise<SshConfiguration> {
  const { homedir } = userInfo()
  const [own, ofSystem] = await Promise.all([
    withIncluded(join(homedir, '.ssh/config'), join(homedir, '.ssh'), homedir),
    withIncluded(join(SYSTEM, 'ssh_config'), SYSTEM, homedir),
  ])
  return { own, ofSystem }
}

/**
 * The text of a file of configuration, behind it those of the files that it includes. A line that includes what nobody but
 * ssh can find, by a token or by a pattern in the name of a folder, is left as it is.
 *
 * @param folder that relative names belong to
 */
export async function withIncluded(
  file: string,
  folder: string,
  home: string,
  seen = new Set<string>(),
): Promise<string> {
  if (seen.has(file)) return ''
  seen.add(file)
  const own = await text(file)
  const included: string[] = []
  const kept = own.split('\n').map(async (line) => {
    const names = /^\s*include(?:\s+|\s*=\s*)(.*)$/i.exec(line)?.[1]?.match(/"[^"]*"|[^\s"]+/g)
    if (!names) return line
    const paths = names.map((name) => name.replaceAll('"', '').replace(/^~(?=\/)/, home))
    const found = await Promise.all(
      paths.map((path) => filesOf(isAbsolute(path) ? path : join(folder, path))),
    )
    if (found.includes(undefined)) return line
    for (const each of found.flatMap((files) => files ?? []))
      included.push(await withIncluded(each, folder, home, seen))
    return ''
  })
  return [...(await Promise.all(kept)), ...included].join('\n')
}

/** The files that a path with a pattern in its last part stands for; undefined where that can't be told. */
async function filesOf(path: string): Promise<string[] | undefined> {
  const pattern = basename(path)
  if (/[*?[%$~]/.test(dirname(path)) || /[[%$]/.test(pattern)) return undefined
  if (!/[*?]/.test(pattern)) return [path]
  const names = await readdir(dirname(path)).catch(() => [])
  return names.filter((name) => globs(pattern, name)).map((name) => join(dirname(path), name))
}

/**
 * Options of ssh for a machine of a tailnet that the person has set under its other names. What the first name's section
 * says comes first, unless it is what holds for any machine: ssh does not tell the two apart.
 */
export async function optionsOfOtherNames(
  { host, tailnet }: SshDestination,
  { own: ofPerson, ofSystem }: SshConfiguration,
  signal: AbortSignal,
): Promise<string[]> {
  if (!tailnet) return []
  const others = [tailnet.dnsName, tailnet.ip].filter((name) => name !== host)
  if (!mayApply(ofPerson, ofSystem, host, others)) return []
  // A name that nobody has: what holds for it holds for all.
  const names = [host, 'no-such-host.invalid', ...others]
  const [own, anybodys, ...rest] = await Promise.all(names.map((name) => configurationOf(name, signal)))
  if (!own || !anybodys) return []
  const found = new Map<string, readonly string[]>()
  for (const of of rest)
    for (const option of OPTIONS) {
      const value = of?.get(option) ?? []
      const isSet = same(own.get(option), anybodys.get(option)) && !same(value, anybodys.get(option))
      if (isSet && !found.has(option)) found.set(option, value)
    }
  return [...found].flatMap(([option, values]) =>
    values.map((value) => `${option}=${PATHS.includes(option) ? `"${value}"` : value}`),
  )
}

/**
 * Whether any section may be for one of the other names of a machine and not for its first: most people have none.
 *
 * @param own configuration of the person, and `ofSystem` that of this machine
 */
export function mayApply(own: string, ofSystem: string, host: string, others: readonly string[]): boolean {
  const all = `${own}\n${ofSystem}`
  // What a file that was not found or a condition says only ssh knows.
  if (/^\s*include\b/im.test(all) || CONDITION.test(all)) return true
  const sections = [...all.matchAll(/^\s*host[\s=]+(.*)$/gim)].map(([, patterns = '']) =>
    patterns.split(/\s+/),
  )
  return sections.some((patterns) => {
    const matches = (name: string) => patterns.some((pattern) => globs(pattern.replaceAll('"', ''), name))
    const excludes = patterns.some((pattern) => pattern.startsWith('!'))
    return excludes || (!matches(host) && others.some(matches))
  })
}

/** As ssh_config(5) has patterns: `*` for any characters, `?` for one. */
function globs(pattern: string, name: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i').test(name)
}

async function text(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch(() => '')
}

/** What ssh would use for a name; undefined where it can't tell. */
async function configurationOf(
  name: string,
  signal: AbortSignal,
): Promise<Map<string, string[]> | undefined> {
  const { stdout, exitCode } = await run(
    { file: 'ssh', args: ['-G', '--', name] },
    { timeoutMs: ASK_MS, signal },
  )
  if (exitCode !== 0) return undefined
  const options = new Map<string, string[]>()
  for (const line of stdout.split('\n')) {
    const [, option = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? []
    options.set(option, [...(options.get(option) ?? []), value])
  }
  return options
}

function same(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return one.join('\n') === other.join('\n')
}
