import { z } from 'zod'
import { SourceConfig } from '../source-config.ts'
import { TlsConfig } from '../tls-config.ts'
import type { PrometheusSettings } from './settings.ts'

// The form of promtool's --http.config.file, of which this is what decides how a server is asked.
const HttpConfig = z.strictObject({
  basic_auth: z
    .strictObject({
      username: z.string(),
      password: z.string().optional(),
      password_file: z.string().optional(),
    })
    .optional(),
  authorization: z
    .strictObject({
      type: z.string().optional(),
      credentials: z.string().optional(),
      credentials_file: z.string().optional(),
    })
    .optional(),
  tls_config: TlsConfig,
})

/**
 * The credentials and certificates that a file names, which stands beside the files that it names itself.
 *
 * @throws UsageError in one line
 */
export async function accessOf(file: string): Promise<Pick<PrometheusSettings, 'headers' | 'tls'>> {
  const config = new SourceConfig(file)
  const document = await config.parse(await config.text(), HttpConfig, "promtool's --http.config.file")
  const { basic_auth: basic, authorization, tls_config: tls } = document
  if (basic && authorization) throw config.wrong('has both basic_auth and authorization: leave one of them')
  const headers: Record<string, string> = {}
  if (basic) {
    const password = await config.secret(basic.password, basic.password_file)
    headers['authorization'] = `Basic ${Buffer.from(`${basic.username}:${password}`).toString('base64')}`
  }
  if (authorization) {
    const credentials = await config.secret(authorization.credentials, authorization.credentials_file)
    headers['authorization'] = `${authorization.type ?? 'Bearer'} ${credentials}`
  }
  for (const value of Object.values(headers))
    if (/[^\u0020-\u007E\u0080-\u00FF]/.test(value))
      throw config.wrong('has a credential with characters that no header can carry')
  return { headers, tls: await config.tls(tls) }
}
