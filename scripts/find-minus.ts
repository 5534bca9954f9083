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
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
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
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { countOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, NoSuitableNode } from '../lib/base/errors.ts'
import { receiverLine } from '../lib/show/receiver.ts'
import { RECEIVERS } from '../verbs/bounds.ts'
import { findMinus } from '../verbs/see/find-minus.ts'

const options = {
  ...meshOptions,
  count: { type: 'string', short: 'n' },
  'only-minus': { type: 'boolean' },
  strict: { type: 'boolean' },
} as const

await recipe(import.meta.filename, options, async ({ values, print, printJson, colours, deps }) => {
  const count = countOf('-n', values.count, RECEIVERS)
  const onlyMinus = values['only-minus'] ?? false
  const result = await findMinus({ ...(await meshInput(values)), count, onlyMinus }, deps)
  const { nodes, unmeasured = 0, incomplete = false } = result
  if (values.json) printJson(result)
  else nodes.forEach((node) => print(receiverLine(node, colours)))
  if (nodes.length === 0) throw new NoSuitableNode(nobody(onlyMinus, unmeasured))
  return values.strict && incomplete ? EXIT.notMeasured : EXIT.done
})

function nobody(onlyMinus: boolean, silent: number): string {
  const what = onlyMinus ? 'no other machine that is open has trit -1' : 'no other machine could be measured'
  return `${what}${silent > 0 ? ` (${silent} gave no measurement)` : ''}: \`just mesh-balance\` shows each`
}
