#!/usr/bin/env tsx
/**
 * find-minus: the other machines with the most room, best first.
 *
 * Usage: just find-minus [options]
 *
 * A line a machine, `name: load1` at its start; `just find-minus | head -1 | cut -d: -f1` is the best one's name.
 * They are ranked by load over CPUs. A machine that gave no measurement is never named.
 *
 *   -n N                name so many (3)
 *   --only-minus        only machines with trit -1 that their owners have not closed (`just close`)
 *   --hosts A,B         ask these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --exclude A,B       leave these machines out
 *   --strict            exit 4 when a machine that was asked gave no measurement, or tailscale is there and not running
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds for everything (10)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 3 no such machine, 4 see --strict, 130 interrupted.
 */
import { meshOptions } from '../cli/mesh-options.ts'
import { measureMesh } from '../cli/mesh.ts'
import { countOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, NoSuitableNode } from '../lib/errors.ts'
import { isIncomplete, openReceivers, receivers, unmeasured } from '../lib/mesh/snapshot.ts'
import { receiverLine } from '../lib/show/receiver.ts'

const options = {
  ...meshOptions,
  count: { type: 'string', short: 'n' },
  'only-minus': { type: 'boolean' },
  strict: { type: 'boolean' },
} as const

await recipe(import.meta.filename, options, async (context) => {
  const { values, print, printJson, colours } = context
  const count = countOf('-n', values.count ?? '3', { least: 1, most: 10_000 })
  const mesh = await measureMesh(context)
  const suitable = values['only-minus'] ? openReceivers(mesh.nodes) : receivers(mesh.nodes)
  const nodes = suitable
    .slice(0, count)
    .map(({ name, address, load1, cpus, ratio, trit }) => ({ name, address, load1, cpus, ratio, trit }))
  if (values.json) printJson({ nodes })
  else nodes.forEach((node) => print(receiverLine(node, colours)))
  const silent = unmeasured(mesh.nodes)
  if (nodes.length === 0) throw new NoSuitableNode(nobody(values['only-minus'] ?? false, silent.length))
  return values.strict && isIncomplete(mesh) ? EXIT.notMeasured : EXIT.done
})

function nobody(onlyMinus: boolean, silent: number): string {
  const what = onlyMinus ? 'no other machine that is open has trit -1' : 'no other machine could be measured'
  return `${what}${silent > 0 ? ` (${silent} gave no measurement)` : ''}: \`just mesh-balance\` shows each`
}
