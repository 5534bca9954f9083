import { z } from 'zod'
import type { SourceConfig } from '../source-config.ts'
import { TlsConfig } from '../tls-config.ts'
import { plainCredentials, type Access } from './access.ts'

const NatsConfig = z.strictObject({
  nkey_file: z.string().optional(),
  creds_file: z.string().optional(),
  user: z.string().optional(),
  password: z.string().optional(),
  password_file: z.string().optional(),
  tls_config: TlsConfig,
})

/** What a file says that has more to say than a secret. @throws UsageError */
export async function accessIn(config: SourceConfig, text: string): Promise<Access> {
  const form = 'a file for NATS (nkey_file, creds_file, or user and password; tls_config)'
  const known = await config.parse(text, NatsConfig, form)
  const ways = [known.nkey_file, known.creds_file, known.user].filter((way) => way !== undefined)
  if (ways.length > 1) throw config.wrong('has more than one of nkey_file, creds_file and user: leave one')
  const path = known.nkey_file ?? known.creds_file
  const secret = await config.fileOf(path)
  const credentials = secret === undefined ? undefined : plainCredentials(secret)
  if (secret !== undefined && credentials?.kind !== (known.nkey_file === undefined ? 'creds' : 'nkey'))
    throw config.wrong(
      known.nkey_file === undefined
        ? 'names a creds_file that is none: it has no user JWT'
        : 'names an nkey_file that is none: it has no seed of a user (SU…)',
    )
  const tls = await config.tls(known.tls_config)
  const found =
    known.user === undefined
      ? credentials
      : {
          kind: 'password' as const,
          user: known.user,
          password: await config.secret(known.password, known.password_file),
        }
  return {
    ...(found ? { credentials: found } : {}),
    ...(Object.keys(tls).length > 0 ? { tls } : {}),
  }
}
