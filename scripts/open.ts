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
import { here } from '../cli/here.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/errors.ts'
import { open } from '../lib/receiver/owner.ts'

await recipe(import.meta.filename, {}, async (context) => {
  const { values, print, printJson } = context
  const { host, reach, limits } = await here(context)
  const scope = await open(host, reach, limits)
  if (values.json) printJson({ closed: false, for: scope })
  else if (!values.quiet) print(`${host.name} is open`)
  return EXIT.done
})
