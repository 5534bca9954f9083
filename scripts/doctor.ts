#!/usr/bin/env tsx
/**
 * doctor: what a machine lacks for processes to be moved from it or to it.
 *
 * Usage: just doctor [HOST] [options]
 *
 * A row for each thing that was looked at, and below what to install or to set. HOST is any name of the mesh; without
 * it, this machine. Nothing is changed. What is optional does no harm.
 *
 *   --hosts A,B         look for HOST among these ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --exclude A,B       leave these machines out
 *   --timeout S         seconds for everything (20)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 all is fine, 1 something is missing, 2 usage, 130 interrupted.
 */
import type { Limits } from '../lib/command.ts'
import { meshOptions } from '../cli/mesh-options.ts'
import { nodesOf } from '../cli/mesh.ts'
import { timeoutMs } from '../cli/numbers.ts'
import { recipe, type Context } from '../cli/recipe.ts'
import { examine, type Examined } from '../lib/doctor/checkup.ts'
import { ownFindings } from '../lib/doctor/coordinator.ts'
import { findingsOf } from '../lib/doctor/findings.ts'
import { nodeNamed } from '../lib/mesh/nodes.ts'
import { EXIT, UsageError } from '../lib/errors.ts'
import { hostOf } from '../lib/host/host.ts'
import { Connections } from '../lib/mesh/connections.ts'
import type { MeshNode } from '../lib/mesh/node.ts'
import { thisMachine } from '../lib/mesh/this-machine.ts'
import { findingLines } from '../lib/show/findings.ts'
import { progress } from '../lib/show/progress.ts'
import { quoted } from '../lib/text.ts'

type DoctorContext = Context<typeof meshOptions>

await recipe(
  import.meta.filename,
  meshOptions,
  async (context) => {
    const { operands, values, signal, colours, width, print, printJson } = context
    const [name, other] = operands
    if (other !== undefined) throw new UsageError(`one HOST at a time, not also ${quoted(other)}`)
    const node = name === undefined ? thisMachine() : await named(context, name)
    const limits = { timeoutMs: timeoutMs(values.timeout, 20), signal }
    const spinner = await progress(process.stderr, `looking at ${node.name}`, !values.quiet)
    const [own, examined] = await Promise.all([
      ownFindings({ ...limits, timeoutMs: limits.timeoutMs / 2 }),
      lookAt(node, limits),
    ]).finally(() => spinner.stop())
    const findings = [
      ...own.map((each) => ({ host: thisMachine().name, ...each })),
      ...findingsOf(examined).map((each) => ({ host: node.name, ...each })),
    ]
    const fine = findings.every(({ state }) => state !== 'missing')
    if (values.json) printJson({ fine, findings })
    else findingLines(findings, colours, width).forEach((line) => print(line))
    return fine ? EXIT.done : EXIT.failed
  },
  { operands: true },
)

async function named(context: DoctorContext, name: string): Promise<MeshNode> {
  const nodes = await nodesOf(context)
  const node = nodeNamed(nodes, name)
  if (node) return node
  const names = nodes.map((each) => each.name).join(', ')
  throw new UsageError(`${quoted(name)} is not in the mesh: it has ${names}`)
}

async function lookAt(node: MeshNode, limits: Limits): Promise<Examined> {
  if (node.left) return { reached: false, reason: node.left.reason }
  const reach = { connections: await Connections.open(), connectMs: limits.timeoutMs / 2 }
  return await examine(hostOf(node), reach, limits)
}
