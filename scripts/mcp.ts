#!/usr/bin/env tsx
/**
 * mcp: a server of the Model Context Protocol for one agent, on standard input and output.
 *
 * Usage: just mcp [options]
 *
 * An agent can look at the mesh, its processes and jobs, and at what could be moved. What acts is there only where you
 * say so. It ends when its input does, and takes what it has begun with it. Snippets for agents' configurations are in
 * docs/agents.md.
 *
 *   --allow A,B         let it act too: migrate, throttle, offload (and enqueue), share, kill
 *   --root FOLDER       it may send files from below this folder, and files come back there
 *   --tools localsend   the seven tools of LocalSend too
 *   --hosts A,B         the mesh is these machines ([user@]host[:port]) instead of the tailnet's
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 its input has ended, 1 failed, 2 usage, 130 interrupted.
 */
import { readFile } from 'node:fs/promises'
import { recipe } from '../cli/recipe.ts'
import { wordsOf } from '../cli/words.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { parseHostList } from '../lib/mesh/hosts.ts'
import { Roots } from '../verbs/mcp/roots.ts'
import { serveMcp } from '../verbs/mcp/server.ts'
import { ALLOWANCES, SETS, toolsFor } from '../verbs/mcp/tools.ts'

const options = {
  allow: { type: 'string', multiple: true },
  root: { type: 'string', multiple: true },
  tools: { type: 'string', multiple: true },
  hosts: { type: 'string', multiple: true },
} as const

await recipe(import.meta.filename, options, async ({ values, signal, note, deps }) => {
  if (values.json) throw new UsageError('mcp speaks its protocol: --json has no meaning for it')
  const allowed = new Set(wordsOf('--allow', values.allow, ALLOWANCES))
  const sets = new Set(wordsOf('--tools', values.tools, SETS))
  const tools = toolsFor(allowed, sets)
  const roots = await Roots.of(values.root ?? [])
  const hosts = (values.hosts ?? []).flatMap((list) => parseHostList(list, '--hosts')).map(({ text }) => text)
  // For every verb, those of LocalSend too; no tool's input has them.
  if (hosts.length > 0) process.env.RESOURCE_SHARING_HOSTS = hosts.join(',')
  if (process.stdin.isTTY) deps.hint('an agent speaks to this; Ctrl-C ends it')
  await serveMcp({ tools, roots, allowed, version: await version(), signal, note })
  signal.throwIfAborted()
  return EXIT.done
})

/** Of this program. */
async function version(): Promise<string> {
  const known: unknown = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  const told = typeof known === 'object' && known !== null && 'version' in known ? known.version : undefined
  return typeof told === 'string' ? told : '0'
}
