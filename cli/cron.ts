import { UsageError } from '../lib/errors.ts'
import { quoted } from '../lib/text.ts'
import { outletArgs, outletsOf } from './monitor.ts'
import { countOf } from './numbers.ts'
import { standalone } from './standalone.ts'

/** What cron is to run, with absolute paths: it has neither this folder nor this PATH. @throws UsageError */
export function monitorArgv(values: Parameters<typeof outletsOf>[0]): string[] {
  const argv = standalone('node-trit', ['--quiet', '--alone', ...outletArgs(outletsOf(values))])
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
