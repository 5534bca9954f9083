import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The text of shell scripts that lie beside a source, one after the other, as other machines run it: without the lines
 * that are only a comment, which would travel with every call.
 *
 * @param folder the source's own `import.meta.dirname`: `cli/compile.mjs` puts the right folder there, source by source
 * @param files by their whole names, so that `just test --changed` finds who reads them
 */
export function shellText(folder: string, ...files: readonly string[]): string {
  return files.map((file) => readFileSync(join(folder, file), 'utf8').replaceAll(/^ *#.*\n/gm, '')).join('')
}
