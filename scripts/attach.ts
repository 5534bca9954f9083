#!/usr/bin/env tsx
/**
 * attach: connect this terminal with the one of a process that has moved with migrate-scum, from any machine of the mesh.
 *
 * Usage: just attach [ID] [options]
 *
 * ID is the migration's, as the old terminal and `just migrations` say it. Without it the only terminal that there is, or
 * a list where there are several. What you type goes there, Ctrl-C too, and its size follows yours. Ctrl-B d leaves it:
 * the process goes on. Where tmux is installed there, it keeps the screen.
 *
 *   --list              only list them
 *   --hosts A,B         look on these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds to find it (10)
 *   --json              one JSON document, of --list
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 left, or the process has ended, or listed; 1 there is no such terminal, or the connection broke; 2 usage.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { quoted } from '../lib/base/text.ts'
import { terminalLines } from '../lib/show/terminals.ts'
import { attach, terminals } from '../verbs/move/attach.ts'
import type { TerminalsResult } from '../verbs/move/schemas.ts'

await recipe(
  import.meta.filename,
  { ...meshOptions, list: { type: 'boolean' } },
  async ({ values, operands: [id, other], print, printJson, colours, width, deps }) => {
    if (other !== undefined) throw new UsageError('give one ID at a time')
    if (id !== undefined && !/^[a-z0-9]{12}$/.test(id))
      throw new UsageError(`an ID has twelve letters and digits, not ${quoted(id)}: just attach --list`)
    const show = async (result: TerminalsResult) => {
      for (const line of await terminalLines(result, width, colours.dim)) print(line)
      result.unasked.forEach(({ node, reason }) => deps.hint(`not asked: ${node}: ${reason}`))
    }
    const input = await meshInput(values)
    if (values.list || values.json) {
      if (id !== undefined) throw new UsageError('--list takes no ID')
      const result = await terminals(input, deps)
      if (values.json) printJson(result)
      else if (result.terminals.length > 0) await show(result)
      else deps.hint('no process that has moved has a terminal')
      return EXIT.done
    }
    if (!process.stdin.isTTY || !process.stdout.isTTY)
      throw new UsageError('there is no terminal here that could be connected: --list lists what there is')
    const several = await attach(input, id, deps)
    if (several) {
      await show(several)
      deps.hint('there are several: just attach ID')
    }
    return EXIT.done
  },
  { operands: true },
)
