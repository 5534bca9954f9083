#!/usr/bin/env tsx
/**
 * watch: the mesh as it is, and as it changes.
 *
 * Usage: just watch [options]
 *        just watch --serve [ADDRESS][:PORT] [options]
 *
 * On a terminal a row a machine, with its trit, its load over its CPUs now and in the last minutes, who keeps it busy, and
 * what goes on between machines. Enter shows the processes of a machine; m, t and x migrate, throttle and end one, after
 * a question; ? tells the other keys, q ends. Elsewhere, and with --lines, a line a change.
 *
 *   --interval S        seconds between two rounds (2)
 *   --lines             a line a change, on a terminal too: for a screen reader, or a file
 *   --serve             a page for a phone or a wall instead, and /metrics for Prometheus, for whoever this machine belongs
 *                       to: on port 8642 of the tailnet's address and the loopback, or where the operand says
 *   --token-file FILE   a token in it lets others look too, from anywhere; also RESOURCE_SHARING_WATCH_TOKEN
 *   --allow A,B         who says the token may act from the page too: migrate, throttle, kill; without it, it only shows
 *   --hosts A,B         watch these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B       leave these machines out
 *   --fanout N          connect to so many at the same time (64)
 *   --timeout S         seconds in which a machine has to answer first (10)
 *   --json              a JSON document a line, for each change
 *   -q, --quiet         without hints
 *   -h, --help          this text
 *
 * Exit codes: 0 ended by q, 1 failed, 2 usage, 130 interrupted, also by Ctrl-C.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { numberOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { wordsOf } from '../cli/words.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { asciiControls, quoted } from '../lib/base/text.ts'
import { ROUND_SECONDS } from '../verbs/bounds.ts'
import type { WatchLine } from '../verbs/watch/schemas.ts'
import { DEEDS } from '../verbs/web/deed-names.ts'

const options = {
  ...meshOptions,
  interval: { type: 'string' },
  lines: { type: 'boolean' },
  serve: { type: 'boolean' },
  'token-file': { type: 'string' },
  allow: { type: 'string', multiple: true },
} as const

const main: Parameters<typeof recipe<typeof options>>[2] = async ({
  values,
  operands,
  print,
  colours,
  deps,
}) => {
  const intervalSeconds = numberOf('--interval', values.interval, ROUND_SECONDS)
  const input = { ...(await meshInput(values)), intervalSeconds }
  const tokenFile = values['token-file']
  if (values.serve) {
    if (values.json || values.lines)
      throw new UsageError('--serve has no lines: leave --json and --lines out')
    const { servePage } = await import('../cli/watch-page.ts')
    const allowed = wordsOf('--allow', values.allow, DEEDS)
    return await servePage(input, operands, { tokenFile, allowed }, deps, print)
  }
  if (tokenFile !== undefined || values.allow)
    throw new UsageError('--token-file and --allow are for --serve')
  if (operands[0] !== undefined)
    throw new UsageError(`unexpected argument ${quoted(operands[0])} (--help lists what there is)`)
  const isScreen = process.stdin.isTTY && process.stdout.isTTY && process.env['TERM'] !== 'dumb'
  if (isScreen && !values.lines && !values.json) {
    const { watchOnScreen } = await import('../cli/watch-screen.ts')
    await watchOnScreen(input, deps, colours)
    return EXIT.done
  }
  const { watch } = await import('../verbs/watch/watch.ts')
  const { changeLine } = await import('../lib/show/watch/change-lines.ts')
  // Who has read enough, as `| head -1` does, wants nothing more to be watched.
  const unread = new AbortController()
  process.stdout.once('error', () => unread.abort())
  const signal = AbortSignal.any([deps.signal, unread.signal])
  const tell = (change: WatchLine) =>
    print(values.json ? asciiControls(JSON.stringify(change)) : changeLine(change))
  await watch(input, { ...deps, signal }, tell).catch((error: unknown) => {
    if (!unread.signal.aborted) throw error
  })
  return EXIT.done
}

await recipe(import.meta.filename, options, main, { operands: true })
