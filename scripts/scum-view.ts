#!/usr/bin/env tsx
/**
 * scum-view: which processes are to blame for the load, and why.
 *
 * Usage: just scum-view [options]
 *
 * A row a process: CPU over a window, memory, run time, and the score 0.6·CPU + 0.3·memory + 0.1·days with its three
 * terms. Processes of the SCUM class (above 30 % of a CPU or 5 % of memory) come first; only on them is acted:
 * above 0.35 a PLUS machine migrates, an ERGODIC one throttles, a MINUS one allows.
 *
 *   --host NAME         of another machine of the mesh instead of this one
 *   --mesh              of every machine of the mesh
 *   -n N                so many processes a machine (10)
 *   --window MS         length of the window in milliseconds (500)
 *   --hosts A,B         the mesh is these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds for everything (10, and the window)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed or the machine gave no measurement, 2 usage, 130 interrupted.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { countOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { SUSPECTS, WINDOW_MS } from '../verbs/bounds.ts'
import { scumView } from '../verbs/see/scum-view.ts'

const options = {
  ...meshOptions,
  host: { type: 'string' },
  mesh: { type: 'boolean' },
  count: { type: 'string', short: 'n' },
  window: { type: 'string' },
} as const

await recipe(import.meta.filename, options, async ({ values, print, printJson, colours, width, deps }) => {
  const { host, mesh } = values
  if (mesh && host !== undefined) throw new UsageError('--mesh and --host exclude each other')
  const count = countOf('-n', values.count, SUSPECTS)
  const windowMs = countOf('--window', values.window, WINDOW_MS)
  const [result, { scumLines }] = await Promise.all([
    scumView({ ...(await meshInput(values)), host, mesh, count, windowMs }, deps),
    import('../lib/show/scum.ts'), // loaded while the window passes
  ])
  if (values.json) printJson(result)
  else for (const node of result.nodes) for (const line of await scumLines(node, colours, width)) print(line)
  return EXIT.done
})
