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
import { here } from '../cli/here.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/errors.ts'
import { close } from '../lib/receiver/owner.ts'
import { plain } from '../lib/text.ts'

await recipe(
  import.meta.filename,
  {},
  async (context) => {
    const { values, operands, print, printJson, note } = context
    const reason = plain(operands.join(' ')) || 'by its owner'
    const { host, reach, limits } = await here(context)
    const scope = await close(host, reason, reach, limits)
    if (values.json) printJson({ closed: true, reason, for: scope })
    else if (!values.quiet) print(`${host.name} is closed: ${reason}`)
    if (scope === 'user' && !values.quiet)
      note('only to what you send yourself: as root, or with a sudo that asks no password, to everybody')
    return EXIT.done
  },
  { operands: true },
)
