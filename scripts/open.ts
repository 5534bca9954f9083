#!/usr/bin/env tsx
/**
 * open: work may come to this machine again, after `just close`.
 *
 * Usage: just open [options]
 *
 *   --json        one JSON document
 *   -q, --quiet   print nothing when all is well
 *   -h, --help    this text
 *
 * Exit codes: 0 open, also when it was before; 1 failed, 2 usage.
 */
import { recipe } from '../cli/recipe.ts'
import { timeoutSecondsOf } from '../cli/numbers.ts'
import { EXIT } from '../lib/base/errors.ts'
import { thisMachine } from '../lib/mesh/this-machine.ts'
import { open } from '../verbs/hold/close.ts'

await recipe(import.meta.filename, {}, async ({ values, print, printJson, deps }) => {
  const result = await open({ timeoutSeconds: timeoutSecondsOf(values.timeout) }, deps)
  if (values.json) printJson(result)
  else if (!values.quiet) print(`${thisMachine().name} is open`)
  return EXIT.done
})
