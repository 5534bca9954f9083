import type { ShareToIdleResult } from '../../verbs/share/schemas.ts'
import { bytesText } from '../base/bytes.ts'
import { plain } from '../base/text.ts'

/** What was sent, to whom, how, and where it is there. */
export function sentLine({ files, bytes, target, by, where, bytesPerSecond }: ShareToIdleResult): string {
  const what = files.length === 1 ? plain(files[0]?.name ?? '') : `${files.length} files`
  const there = where === undefined ? '' : `, into ${plain(where)}`
  const speed = bytesPerSecond === undefined ? '' : `, ${bytesText(bytesPerSecond)}/s`
  return `sent ${what} (${bytesText(bytes)}) to ${target} by ${by}${there}${speed}`
}
