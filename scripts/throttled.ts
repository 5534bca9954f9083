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
import { EXIT } from '../lib/base/errors.ts'
import { throttledLines } from '../lib/show/holding.ts'
import { throttled } from '../verbs/hold/scum-throttle.ts'

await recipe(import.meta.filename, {}, async ({ values, print, printJson, colours, width, deps }) => {
  const { held } = await throttled({}, deps)
  if (values.json) printJson({ held })
  else if (held.length > 0) for (const line of await throttledLines(held, width, colours.dim)) print(line)
  else deps.hint('nothing is held')
  return EXIT.done
})
