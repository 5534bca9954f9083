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
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B       leave these machines out
 *   --timeout S         seconds for everything (20)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 all is fine, 1 something is missing, 2 usage, 130 interrupted.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { quoted } from '../lib/base/text.ts'
import { findingLines } from '../lib/show/findings.ts'
import { doctor } from '../verbs/see/doctor.ts'

await recipe(
  import.meta.filename,
  meshOptions,
  async ({ operands, values, colours, width, print, printJson, deps }) => {
    const [host, other] = operands
    if (other !== undefined) throw new UsageError(`one HOST at a time, not also ${quoted(other)}`)
    const result = await doctor({ ...(await meshInput(values)), host }, deps)
    if (values.json) printJson(result)
    else for (const line of await findingLines(result.findings, colours, width)) print(line)
    return result.fine ? EXIT.done : EXIT.failed
  },
  { operands: true },
)
