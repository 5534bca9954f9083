import { UsageError } from '../../base/errors.ts'
import { quoted } from '../../base/text.ts'
import type { Tls } from '../source-config.ts'

/** A server that measures the mesh already, and how it is asked. */
export type PrometheusSettings = {
  /** Its address without `/api/v1/query`. */
  url: URL
  /** What its machines are called: the host of the label `instance`, `nodename` of node_uname_info, or another label. */
  nodeLabel: string
  headers: Readonly<Record<string, string>>
  tls: Tls
}

const FORM = 'write prometheus=URL, as prometheus=http://127.0.0.1:9090, or nats=URL'
export const NODE_LABEL = 'instance'

/**
 * How a server is asked, as a person says it.
 *
 * @param source `prometheus=URL`
 * @param options a file with credentials in the form of promtool's `--http.config.file`, and the label with the names
 * @throws UsageError that names what is wrong
 */
export async function prometheusSettings(
  source: string,
  { configFile, nodeLabel = NODE_LABEL }: { configFile?: string; nodeLabel?: string } = {},
): Promise<PrometheusSettings> {
  const [, address] = /^prometheus=(.+)$/s.exec(source) ?? []
  if (address === undefined) throw new UsageError(`--source ${quoted(source)}: ${FORM}`)
  const url = parsed(address)
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw new UsageError(`--source ${quoted(source)} has no address of http or https: ${FORM}`)
  if (url.username !== '' || url.password !== '')
    throw new UsageError(
      '--source: others on this machine can read what is on a command line: put the password in a file, for --source-config',
    )
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(nodeLabel))
    throw new UsageError(`--node-label ${quoted(nodeLabel)} is no name of a label: letters, digits and _`)
  const access =
    configFile === undefined
      ? { headers: {}, tls: {} }
      : await (await import('./access.ts')).accessOf(configFile) // not loaded where nobody needs it
  return { url, nodeLabel, ...access }
}

function parsed(address: string): URL | undefined {
  try {
    return new URL(address)
  } catch {
    return undefined
  }
}
