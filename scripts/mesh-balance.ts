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
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
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
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { isIncomplete, measured, unmeasured, type MeshSnapshot } from '../lib/mesh/snapshot.ts'
import { pairs } from '../lib/model/balance.ts'
import { withLinesBelow } from '../lib/show/progress.ts'
import { meshBalance } from '../verbs/see/mesh-balance.ts'

const options = { ...meshOptions, connections: { type: 'boolean' }, strict: { type: 'boolean' } } as const

await recipe(import.meta.filename, options, async ({ values, print, printJson, colours, width, deps }) => {
  const connections = values.connections ?? false
  const view = { colours, width, connections }
  const showing = import('../lib/show/mesh.ts') // loaded while the machines are asked
  const watched = process.stdout.isTTY && !values.json
  const below = withLinesBelow(deps.progress)
  const most = Math.max(0, process.stdout.rows - 3)
  const soFar = (known: MeshSnapshot) =>
    void showing.then(async ({ meshRows }) => below.show((await meshRows(known, view)).slice(0, most)))
  const [mesh, { meshLines }] = await Promise.all([
    meshBalance(
      { ...(await meshInput(values)), connections: connections || values.json === true },
      watched ? { ...deps, progress: below.progress } : deps,
      watched ? { soFar } : {},
    ),
    showing,
  ])
  const allWell = pairs(measured(mesh.nodes)).length === 0 && unmeasured(mesh.nodes).length === 0
  if (values.json) printJson(mesh)
  else if (!(values.quiet && allWell)) for (const line of await meshLines(mesh, view)) print(line)
  if (mesh.rule === undefined) return EXIT.failed
  return values.strict && isIncomplete(mesh) ? EXIT.notMeasured : EXIT.done
})
