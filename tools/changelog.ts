/** A changelog can't be released, and why: a part of a sentence about it. */
export type Unfit = { why: string }

const UNRELEASED = /^## \[Unreleased\]$/gm

/**
 * The text of a changelog in the form of keepachangelog.com in which what was unreleased has a version and a date, below
 * an empty section for what comes next.
 *
 * @param date YYYY-MM-DD
 */
export function released(changelog: string, version: string, date: string): string | Unfit {
  const found = [...changelog.matchAll(UNRELEASED)]
  const [heading] = found
  if (heading === undefined || found.length > 1)
    return { why: `has ${found.length === 0 ? 'no' : 'more than one'} section "## [Unreleased]"` }
  const end = heading.index + heading[0].length
  const [section = ''] = changelog.slice(end).split(/^## /m, 1)
  // Headings alone tell a user nothing.
  if (!/^- \S/m.test(section)) return { why: 'tells of nothing that is unreleased' }
  return `${changelog.slice(0, end)}\n\n## [${version}] - ${date}${changelog.slice(end)}`
}
