import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

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
  return [process.execPath, ...nodeFlags, join(ROOT, 'cli/start.mjs'), `scripts/${script}.ts`, ...args]
}
