import { readFile } from 'node:fs/promises'

/** The lines of a script's header comment, which is its help, as they are: each begins with ` *`. */
export function headerComment(source: string): string[] {
  return (/\/\*\*\n([\s\S]*?)\n \*\//.exec(source)?.[1] ?? '').split('\n')
}

/** The help of a script, as a person reads it. */
export async function helpOf(file: string): Promise<string> {
  const lines = headerComment(await readFile(file, 'utf8'))
  return lines.map((line) => line.replace(/^ \* ?/, '')).join('\n')
}
