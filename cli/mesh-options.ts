import { UsageError } from '../lib/base/errors.ts'
import { messageOf, quoted } from '../lib/base/text.ts'
import { parseHostList, parseHostsFile, type NamedHost } from '../lib/mesh/hosts.ts'
import { FANOUT } from '../verbs/bounds.ts'
import type { MeshInput } from '../verbs/see/mesh.ts'
import { countOf, timeoutSecondsOf } from './numbers.ts'
import type { Values } from './recipe.ts'

/** What every recipe that looks at the mesh takes. */
export const meshOptions = {
  hosts: { type: 'string', multiple: true },
  'hosts-file': { type: 'string', multiple: true },
  source: { type: 'string' },
  'source-config': { type: 'string' },
  'node-label': { type: 'string' },
  exclude: { type: 'string', multiple: true },
  fanout: { type: 'string' },
} as const

/** The same as verbs take it. @throws UsageError */
export async function meshInput(values: Values<typeof meshOptions>): Promise<MeshInput> {
  const fanout = countOf('--fanout', values.fanout, FANOUT)
  const listed = (values.hosts ?? []).flatMap((list) => parseHostList(list, '--hosts'))
  const inFiles = await Promise.all((values['hosts-file'] ?? []).map((file) => hostsIn(file)))
  return {
    hosts: [...listed, ...inFiles.flat()].map(({ text }) => text),
    source: values.source,
    sourceConfig: values['source-config'],
    nodeLabel: values['node-label'],
    exclude: values.exclude,
    fanout,
    timeoutSeconds: timeoutSecondsOf(values.timeout),
  }
}

async function hostsIn(file: string): Promise<NamedHost[]> {
  const { fs } = await import('zx')
  const text = await fs.readFile(file, 'utf8').catch((error: unknown) => {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new UsageError(
      `--hosts-file ${quoted(file)} ${missing ? 'does not exist' : `can't be read: ${messageOf(error)}`}`,
    )
  })
  return parseHostsFile(text, file)
}
