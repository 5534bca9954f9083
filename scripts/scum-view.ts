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
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds for everything (10, and the window)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed or the machine gave no measurement, 2 usage, 130 interrupted.
 */
import { meshOptions } from '../cli/mesh-options.ts'
import { countOf, timeoutMs, windowOf } from '../cli/numbers.ts'
import { recipe, type Context } from '../cli/recipe.ts'
import { EXIT, Failure, UsageError } from '../lib/errors.ts'
import { thisMachine } from '../lib/mesh/this-machine.ts'
import type { Report } from '../lib/mesh/node.ts'
import { measureHere } from '../lib/node/local.ts'
import { ONLY_OWN } from '../lib/node/processes.ts'
import { suspects } from '../lib/suspects.ts'
import { tritOf } from '../lib/trit.ts'

const options = {
  ...meshOptions,
  host: { type: 'string' },
  mesh: { type: 'boolean' },
  count: { type: 'string', short: 'n' },
  window: { type: 'string' },
} as const

await recipe(import.meta.filename, options, async (context) => {
  const { values, print, printJson, note, colours, width } = context
  if (values.mesh && values.host !== undefined) throw new UsageError('--mesh and --host exclude each other')
  const count = countOf('-n', values.count ?? '10', { least: 1, most: 100_000 })
  const windowMs = windowOf(values.window)
  const [reports, { scumLines }] = await Promise.all([
    ask(context, windowMs),
    import('../lib/show/scum.ts'), // loaded while the window passes
  ])
  const nodes = reports.flatMap((report) => {
    if (report.outcome !== 'ok') return []
    const trit = tritOf(report.measurement.load1, report.measurement.cpus)
    const processes = suspects(report.processes ?? [], trit, count)
    const { name } = report.node
    if (report.onlyOwnProcesses) note(`${name}: ${ONLY_OWN}`)
    return [{ name, trit, ...(report.onlyOwnProcesses ? { onlyOwnProcesses: true } : {}), processes }]
  })
  for (const report of reports)
    if (report.outcome !== 'ok') {
      const line = `${report.node.name}: ${report.outcome}: ${report.reason}`
      if (!values.mesh) throw new Failure(line)
      if (!values.quiet) note(line)
    }
  if (values.json) printJson({ nodes })
  else nodes.flatMap((node) => scumLines(node, colours, width)).forEach((line) => print(line))
  return EXIT.done
})

/** This machine alone unless the person asks for others: then nothing of the mesh is looked at or loaded. */
async function ask(context: Context<typeof options>, windowMs: number): Promise<Report[]> {
  const { values, signal } = context
  if (values.host !== undefined || values.mesh) {
    const { askMesh } = await import('../cli/mesh.ts')
    return await askMesh(context, { windowMs, ...(values.host === undefined ? {} : { host: values.host }) })
  }
  const leftMs = timeoutMs(values.timeout, 10 + windowMs / 1000) - performance.now()
  const answer = await measureHere({ windowMs }, { timeoutMs: leftMs, signal })
  return [{ node: thisMachine(), outcome: 'ok', ...answer, ageMs: 0 }]
}
