/**
 * A line of a crontab that runs a command every so many minutes of the hour.
 *
 * cron takes `%` for a newline unless a backslash is in front of it, also between quotation marks, and drops that
 * backslash before it hands the line to `sh`.
 *
 * @param every 1 to 59
 * @param argv without newlines, which a line can't hold
 * @param redirect what else `sh` is to do with the command, as it stands
 */
export function cronLine(every: number, argv: readonly string[], redirect = ''): string {
  return `*/${every} * * * * ${argv.map(word).join(' ')}${redirect && ` ${redirect}`}`
}

/** One word of a command line, for cron's parser and for `sh`. */
function word(text: string): string {
  if (/^[\w@+=:,./-]+$/.test(text)) return text
  // Whether cron takes `\\` for one backslash differs between its versions: `''` keeps it from being seen.
  const quoted = text.replaceAll(/['\\%]/g, (character) =>
    character === "'" ? `'\\''` : character === '%' ? '\\%' : `\\''`,
  )
  return `'${quoted}'`
}
