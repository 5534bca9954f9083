/** Of the lines that criu marks as errors, those that only say that something else went wrong. */
const FOLLOW_UPS =
  /Dumping FAILED|Restoring FAILED|Can't dump|Can't open file|can't resume|exited with|Unable to (?:freeze|thaw)|Dump files .* failed|killed by signal|Failed to (?:dump|restore) .* \(pid|Setting up.*failed/i
/** `rlimit: Can't setup RLIMIT_NOFILE` and the like do no harm. */
const HARMLESS = /RLIMIT_NOFILE|Will restore|Can't set \d+ .*limit/i

/** What some of its messages mean, where they do not say it. */
const MEANINGS: readonly (readonly [words: string, meaning: string])[] = [
  [
    'Unable to connect a transport socket: Operation not permitted',
    'it has shut itself in (Landlock, as xz does), and criu out: use another program, such as pigz or zstd, where it is to move',
  ],
]

/**
 * The one line of criu's log that tells a person what went wrong: its first error that is not only the consequence of
 * another one.
 *
 * @param errors its lines with `Error`, as `(00.012345) pid: Error (criu/file.c:123): what went wrong`
 */
export function decisiveLine(errors: readonly string[]): string | undefined {
  const messages = errors
    .map((line) => /Error \([^)]*\): (.*)$/.exec(line)?.[1]?.trim() ?? '')
    .filter((message) => message !== '' && !HARMLESS.test(message))
  const message = messages.find((each) => !FOLLOW_UPS.test(each)) ?? messages[0]
  const meaning = MEANINGS.find(([words]) => message?.includes(words))?.[1]
  return message === undefined ? undefined : `${meaning === undefined ? '' : `${meaning}: `}criu: ${message}`
}
