import { UsageError } from '../lib/base/errors.ts'
import { quoted } from '../lib/base/text.ts'

/** The words of a flag that takes some of those that are known, between commas. @throws UsageError */
export function wordsOf<Word extends string>(
  flag: string,
  lists: readonly string[] | undefined,
  known: readonly Word[],
): Word[] {
  const words = (lists ?? []).flatMap((list) => list.split(',').map((word) => word.trim()))
  return words.map((word) => {
    const found = known.find((each) => each === word)
    if (found === undefined) throw new UsageError(`${flag} takes ${known.join(', ')}, not ${quoted(word)}`)
    return found
  })
}
