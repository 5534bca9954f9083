/**
 * A word that a POSIX sh takes for just that, whatever is in it: between single quotation marks, which end at a mark
 * only.
 */
export function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/** Words that `eval "set -- …"` of a POSIX sh takes for just these. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => shellWord(word)).join(' ')
}

/** A command line for a person to read and to paste: only words that need it are quoted. */
export function commandLine(file: string, args: readonly string[]): string {
  return [file, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : shellWord(word))).join(' ')
}
