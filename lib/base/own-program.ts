import { realpathSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

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
  return [lastingNode(), ...nodeFlags, join(ROOT, 'cli/start.mjs'), `scripts/${script}.ts`, ...args]
}

/**
 * Node by a path that its next version has too: where PATH leads to the Node that runs now, by that (Homebrew's and
 * others' are links to a folder that is named after a version, and goes with it).
 */
export function lastingNode(running = process.execPath, path = process.env.PATH ?? ''): string {
  const real = realpathSync(running)
  const candidates = path.split(':').flatMap((folder) => (isAbsolute(folder) ? [join(folder, 'node')] : []))
  return candidates.find((candidate) => realPath(candidate) === real) ?? running
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
