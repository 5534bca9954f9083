#!/usr/bin/env tsx
/**
 * throttled: the processes that scum-throttle holds back or has stopped.
 *
 * Usage: just throttled [options]
 *
 * What an earlier run left half done is put right first.
 *
 *   --json        one JSON document
 *   -q, --quiet   no hints on standard error
 *   -h, --help    this text
 *
 * Exit codes: 0 done, also when nothing is held; 1 failed, 2 usage.
 */
import { recipe } from '../cli/recipe.ts'
import { repairFirst } from '../cli/repair.ts'
import { EXIT } from '../lib/errors.ts'
import { table } from '../lib/show/table.ts'
import { titleOf } from '../lib/throttle/throttle.ts'
import { readRecords } from '../lib/throttle/record.ts'

await recipe(import.meta.filename, {}, async (context) => {
  const { values, print, printJson, note, colours, width } = context
  await repairFirst(context)
  const records = await readRecords()
  const held = records.map(({ pid, command, means, percent, since }) => ({
    pid,
    command,
    means,
    percent,
    since,
  }))
  if (values.json) printJson({ held })
  else if (held.length > 0) {
    const columns = [
      { head: 'PID', align: 'right' },
      { head: 'COMMAND', shrinks: true },
      { head: 'PERCENT', align: 'right' },
      { head: 'SINCE' },
      { head: 'BY', optional: 1 },
    ] as const
    const rows = held.map(({ pid, command, means, percent, since }) => [
      String(pid),
      command,
      means === 'pause' ? 'stopped' : (percent?.toString() ?? 'low'),
      since.replace(/\..*/, 'Z'),
      titleOf(means),
    ])
    table(columns, rows, width, colours.dim).forEach((line) => print(line))
  } else if (!values.quiet) note('nothing is held')
  return EXIT.done
})
