import { plain, quoted } from '../lib/text.ts'
import { strangeRecords } from '../lib/throttle/record.ts'
import { repair, titleOf } from '../lib/throttle/throttle.ts'

type Reporter = { note: (line: string) => void; values: { quiet?: boolean | undefined } }

/** What an earlier run left half done is put right first, and the person told. */
export async function repairFirst({ note, values }: Reporter): Promise<void> {
  for (const file of await strangeRecords())
    note(`${quoted(file)} is no record of this version: look at it by hand`)
  for (const { record, why, failed } of await repair()) {
    const what = `PID ${record.pid} (${plain(record.command)}), held by ${titleOf(record.means)}`
    if (failed !== undefined) note(`${what}: ${why}, and it can't be released: ${failed}`)
    else if (!values.quiet) note(`${what}: ${why}; released`)
  }
}
