#!/usr/bin/env tsx
/**
 * close: no more work comes to this machine.
 *
 * Usage: just close [REASON…] [options]
 *
 * What is here goes on. Every recipe that sends work elsewhere, on any machine, leaves this one out until
 * `just open`, also after a reboot, and mesh-balance shows the reason. As root, or with a sudo that asks no password, it
 * counts for everybody; else for what you send yourself.
 *
 *   --json        one JSON document
 *   -q, --quiet   no hints on standard error
 *   -h, --help    this text
 *
 * Exit codes: 0 closed, 1 failed, 2 usage.
 */
import { recipe } from '../cli/recipe.ts'
import { timeoutSecondsOf } from '../cli/numbers.ts'
import { EXIT } from '../lib/base/errors.ts'
import { thisMachine } from '../lib/mesh/this-machine.ts'
import { close } from '../verbs/hold/close.ts'

await recipe(
  import.meta.filename,
  {},
  async ({ values, operands, print, printJson, deps }) => {
    const timeoutSeconds = timeoutSecondsOf(values.timeout)
    const result = await close({ reason: operands.join(' '), timeoutSeconds }, deps)
    if (values.json) printJson(result)
    else if (!values.quiet) print(`${thisMachine().name} is closed: ${result.reason}`)
    if (result.for === 'user')
      deps.hint('only to what you send yourself: as root, or with a sudo that asks no password, to everybody')
    return EXIT.done
  },
  { operands: true },
)
