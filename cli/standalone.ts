import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = join(import.meta.dirname, '..')
// A URL: Node takes the path of a loader for one, and would take `%20` in it for a blank.
const LOADER = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/esm/index.mjs')).href

/**
 * A recipe as cron or systemd is to start it, with absolute paths: they have neither this folder nor this PATH.
 *
 * @param script name of a file in `scripts/`, without its ending
 * @param nodeFlags for Node itself
 */
export function standalone(
  script: string,
  args: readonly string[],
  nodeFlags: readonly string[] = [],
): string[] {
  // tsx would keep what it has compiled in a folder of /tmp that anybody may have made before, and take what it imports
  // from where a tsconfig.json of the folder that it is started in, or one above, says.
  const settings = ['TSX_DISABLE_CACHE=1', `TSX_TSCONFIG_PATH=${join(ROOT, 'tsconfig.json')}`]
  const start = ['/usr/bin/env', ...settings, process.execPath, ...nodeFlags, '--import', LOADER]
  return [...start, join(ROOT, 'scripts', `${script}.ts`), ...args]
}
