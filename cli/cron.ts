import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../lib/errors.ts'
import { quoted } from '../lib/text.ts'
import { outletArgs, outletsOf } from './monitor.ts'
import { countOf } from './numbers.ts'

const ROOT = join(import.meta.dirname, '..')
// A URL: Node takes the path of a loader for one, and would take `%20` in it for a blank.
const LOADER = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/esm/index.mjs')).href

/** tsx would keep what it has compiled in a folder of /tmp that anybody may have made before. */
const NO_CACHE = 'TSX_DISABLE_CACHE=1'

/** What cron is to run, with absolute paths: it has neither this folder nor this PATH. @throws UsageError */
export function monitorArgv(values: Parameters<typeof outletsOf>[0]): string[] {
  const script = join(ROOT, 'scripts/node-trit.ts')
  const args = ['--quiet', '--alone', ...outletArgs(outletsOf(values))]
  const argv = ['/usr/bin/env', NO_CACHE, process.execPath, '--import', LOADER, script, ...args]
  const broken = argv.find((word) => /[\n\r\0]/.test(word))
  if (broken !== undefined)
    throw new UsageError(
      `a crontab has no place for the line break in ${quoted(broken)}: put it into a script`,
    )
  return argv
}

/** Minutes between runs, from `--every`. @throws UsageError */
export function everyOf(text = '5'): number {
  return countOf('--every', text, { least: 1, most: 59, unit: 'minutes' })
}
