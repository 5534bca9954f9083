/** The lines of a script's header comment, which is its help, as they are: each begins with ` *`. */
export function headerComment(source: string): string[] {
  return (/\/\*\*\n([\s\S]*?)\n \*\//.exec(source)?.[1] ?? '').split('\n')
}
