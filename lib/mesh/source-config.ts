import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { UsageError } from '../base/errors.ts'
import { messageOf, quoted } from '../base/text.ts'
import type { TlsConfig } from './tls-config.ts'

/** What is said to `tls.connect`. */
export type Tls = {
  ca?: string
  cert?: string
  key?: string
  servername?: string
  rejectUnauthorized?: boolean
}

/** A file with credentials, which stands beside the files that it names itself. Each error is one line. */
export class SourceConfig {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  wrong(what: string): UsageError {
    return new UsageError(`--source-config ${quoted(this.#file)} ${what}`)
  }

  /** @throws UsageError */
  async text(): Promise<string> {
    return await this.#read(resolve(this.#file), '')
  }

  /**
   * Its YAML, of which JSON is a part.
   *
   * @param form what it has to fit, as `called` calls that
   * @throws UsageError
   */
  async parse<Form extends z.ZodType>(text: string, form: Form, called: string): Promise<z.output<Form>> {
    const { YAML } = await import('zx')
    let document: unknown
    try {
      document = YAML.parse(text)
    } catch (error) {
      throw this.wrong(`is no YAML: ${messageOf(error).split('\n')[0]}`)
    }
    const { success, data, error } = form.safeParse(document ?? {})
    if (success) return data
    const [issue] = error.issues
    const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''
    throw this.wrong(`does not fit the form of ${called}: ${where}${issue?.message}`)
  }

  /** The text of a file that it names; undefined where it names none. @throws UsageError */
  async fileOf(path: string | undefined): Promise<string | undefined> {
    return path === undefined
      ? undefined
      : await this.#read(resolve(dirname(this.#file), path), `names ${quoted(path)}, which `)
  }

  /** A secret that stands in it, or in a file that it names. @throws UsageError */
  async secret(given: string | undefined, path: string | undefined): Promise<string> {
    return path === undefined ? (given ?? '') : ((await this.fileOf(path)) ?? '').trim()
  }

  /** @throws UsageError */
  async tls(config: TlsConfig): Promise<Tls> {
    const [ca, cert, key] = await Promise.all([
      this.fileOf(config?.ca_file),
      this.fileOf(config?.cert_file),
      this.fileOf(config?.key_file),
    ])
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(config?.server_name === undefined ? {} : { servername: config.server_name }),
      ...(config?.insecure_skip_verify === true ? { rejectUnauthorized: false } : {}),
    }
  }

  async #read(path: string, what: string): Promise<string> {
    return await readFile(path, 'utf8').catch((error: unknown) => {
      throw this.wrong(`${what}can't be read: ${messageOf(error)}`)
    })
  }
}
