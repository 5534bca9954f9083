#!/usr/bin/env tsx
/**
 * mesh-balance: which machines of the mesh are loaded, and which have room.
 *
 * Usage: just mesh-balance [options]
 *
 * A row a machine with its trit: +1 PLUS (load over CPUs above 0.8, sheds work), 0 ERGODIC, -1 MINUS (below 0.3,
 * accepts work). Then the sum of the trits, the rule that applies, and who would send work to whom.
 *
 *   --hosts A,B         ask these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --exclude A,B       leave these machines out
 *   --connections       show how packets reach each machine: direct +1, relayed 0, no contact -1
 *   --strict            exit 4 when a machine that was asked gave no measurement, or tailscale is there and not running
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds for everything (10)
 *   --json              one JSON document
 *   -q, --quiet         print nothing unless a machine is overloaded and another has room, or one gave no measurement
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed (also when no machine gave a measurement), 2 usage, 4 see --strict, 130 interrupted.
 */
import { meshOptions } from '../cli/mesh-options.ts'
import { measureMesh } from '../cli/mesh.ts'
import { recipe } from '../cli/recipe.ts'
import { pairs } from '../lib/balance.ts'
import { EXIT } from '../lib/errors.ts'
import { isIncomplete, measured, unmeasured } from '../lib/mesh/snapshot.ts'

const options = { ...meshOptions, connections: { type: 'boolean' }, strict: { type: 'boolean' } } as const

await recipe(import.meta.filename, options, async (context) => {
  const { values, print, printJson, colours, width } = context
  const connections = values.connections ?? false
  const [mesh, { meshLines }] = await Promise.all([
    measureMesh(context, { connections: connections || values.json === true }),
    import('../lib/show/mesh.ts'), // loaded while the machines are asked
  ])
  const silent = unmeasured(mesh.nodes)
  const allWell = pairs(measured(mesh.nodes)).length === 0 && silent.length === 0
  if (values.json) printJson(mesh)
  else if (!(values.quiet && allWell))
    meshLines(mesh, { colours, width, connections }).forEach((line) => print(line))
  if (!('rule' in mesh)) return EXIT.failed
  return values.strict && isIncomplete(mesh) ? EXIT.notMeasured : EXIT.done
})
