import type { Tls } from '../source-config.ts'

/** Who one is to a server. None of it is ever on a command line. */
export type Access = {
  credentials?:
    | { kind: 'nkey'; seed: string }
    | { kind: 'creds'; text: string }
    | { kind: 'password'; user: string; password: string }
  tls?: Tls
}

/**
 * The credentials in a file: the seed of an nkey, as `just nats-setup` writes it; a `.creds` file, as nsc does; or YAML
 * with `nkey_file`, `creds_file` or `user` and `password` or `password_file`, and `tls_config` as Prometheus has it. It
 * stands beside the files that it names itself.
 *
 * @throws UsageError in one line
 */
export async function accessOf(file: string): Promise<Access> {
  const { SourceConfig } = await import('../source-config.ts')
  const config = new SourceConfig(file)
  const text = await config.text()
  const credentials = plainCredentials(text)
  return credentials ? { credentials } : await (await import('./access-form.ts')).accessIn(config, text)
}

/** A seed or the text of a `.creds` file; undefined where it is neither. */
export function plainCredentials(text: string): Access['credentials'] {
  if (text.includes('-----BEGIN NATS USER JWT-----')) return { kind: 'creds', text }
  // A comment may tell whose it is.
  const lines = text.split('\n').filter((line) => !/^\s*(?:#.*)?$/.test(line))
  const seed = lines.length === 1 ? (lines[0] ?? '').trim() : ''
  return /^SU[A-Z2-7]{56}$/.test(seed) ? { kind: 'nkey', seed } : undefined
}
