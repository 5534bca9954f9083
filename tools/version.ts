// The form that semver.org gives for 2.0.0.
const NUMBER = '0|[1-9]\\d*'
const WORD = `${NUMBER}|\\d*[a-zA-Z-][0-9a-zA-Z-]*`
const FORM = new RegExp(
  `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-((?:${WORD})(?:\\.(?:${WORD}))*))?(?:\\+[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*)?$`,
)

/** A version as semver.org compares it: three numbers, and the words of a pre-release, if it is one. */
export type Version = { numbers: readonly number[]; before?: readonly string[] }

/** @returns undefined when the text is no semantic version */
export function versionOf(text: string): Version | undefined {
  const match = FORM.exec(text)
  if (!match) return undefined
  const [, major, minor, patch, words] = match
  const numbers = [major, minor, patch].map(Number)
  return words === undefined ? { numbers } : { numbers, before: words.split('.') }
}

/** Whether a version comes after another one: https://semver.org/#spec-item-11. */
export function isGreater(version: Version, other: Version): boolean {
  return compare(version, other) > 0
}

function compare(a: Version, b: Version): number {
  const [at] = [0, 1, 2].filter((index) => a.numbers[index] !== b.numbers[index])
  if (at !== undefined) return (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0)
  // What is before a version comes before it.
  if (a.before === undefined || b.before === undefined)
    return Number(a.before === undefined) - Number(b.before === undefined)
  for (const [index, word] of a.before.entries()) {
    const other = b.before[index]
    if (other === undefined) return 1
    if (word !== other) return compareWords(word, other)
  }
  return a.before.length - b.before.length
}

/** Numbers come before words. */
function compareWords(a: string, b: string): number {
  const [isNumber, isOtherNumber] = [a, b].map((word) => /^\d+$/.test(word))
  if (isNumber && isOtherNumber) return Number(a) - Number(b)
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return a < b ? -1 : 1
}
