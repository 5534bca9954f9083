import { join } from 'node:path'
import { execa } from 'execa'

export type Certificate = { key: string; cert: string }

/**
 * A certificate that nobody else has signed, for 127.0.0.1 unless another name is given.
 *
 * @returns the paths of its key and of itself
 */
export async function certificate(
  folder: string,
  name: string,
  { names = 'IP:127.0.0.1', days = 2 }: { names?: string; days?: number } = {},
): Promise<Certificate> {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const what = ['-days', String(days), '-subj', '/CN=test', '-addext', `subjectAltName=${names}`]
  await execa('openssl', ['req', '-x509', ...curve, ...what, '-keyout', key, '-out', cert])
  return { key, cert }
}
