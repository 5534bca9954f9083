import { join } from 'node:path'
import { provide } from '../lab/cache.ts'
import { type Log, run } from '../lab/run.ts'

const VERSION = '2.12.0'
/** It needs a later Node than this program does. */
const NODE = '24.21.0'

/**
 * The command line of the Model Context Protocol's own inspector.
 *
 * @returns the argv that it starts with
 */
export async function mcpInspector(log: Log): Promise<string[]> {
  const node = `node-${process.platform}-${process.arch}`
  const folder = await provide(
    {
      key: `mcp-inspector-${VERSION}-node-${NODE}`,
      label: `MCP inspector ${VERSION}`,
      expected: '30 s',
      make: async (made) => {
        const packages = [`@modelcontextprotocol/inspector@${VERSION}`, `${node}@${NODE}`]
        const args = ['install', '--silent', '--ignore-scripts', '--no-audit', '--prefix', made, ...packages]
        await run(['npm', ...args], { cwd: made, timeoutMs: 300_000 })
      },
    },
    log,
  )
  const at = (path: string) => join(folder, 'node_modules', path)
  return [
    at(`${node}/bin/node`),
    at('@modelcontextprotocol/inspector/clients/launcher/build/index.js'),
    '--cli',
  ]
}
