#!/usr/bin/env tsx
/**
 * peers: the machines of the tailnet where LocalSend answers now.
 *
 * Usage: just peers [options]
 *
 * A line a peer: what it calls itself, the version of the protocol, the protocol, and the fingerprint of its certificate.
 * Phones are asked too.
 *
 *   --port N            where LocalSend listens (53317)
 *   --insecure-http     ask peers that speak no TLS without
 *   --hosts A,B         ask these machines instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds that a machine may take to answer (5)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 3 nobody answers, 130 interrupted.
 */
import pMap from 'p-map'
import { meshOptions } from '../cli/mesh-options.ts'
import { nodesOf } from '../cli/mesh.ts'
import { countOf, timeoutMs } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, NoSuitableNode } from '../lib/errors.ts'
import { PeerFailure } from '../lib/localsend/failures.ts'
import { ownIdentity } from '../lib/localsend/identity.ts'
import { probe } from '../lib/localsend/probe.ts'
import { PORT } from '../lib/localsend/schema.ts'
import { peerLines } from '../lib/show/peers.ts'
import { progress } from '../lib/show/progress.ts'
import { stateDir } from '../lib/state/state-dir.ts'
import { plain } from '../lib/text.ts'

const options = {
  ...meshOptions,
  port: { type: 'string' },
  'insecure-http': { type: 'boolean' },
} as const

await recipe(import.meta.filename, options, async (context) => {
  const { values, signal, colours, width, print, printJson, note } = context
  const port = countOf('--port', values.port ?? String(PORT), { least: 1, most: 65_535 })
  const concurrency = countOf('--fanout', values.fanout ?? '64', { least: 1, most: 1024 })
  const eachMs = timeoutMs(values.timeout, 5)
  const nodes = (await nodesOf(context)).filter(({ self, address, left }) => {
    const asked = left === undefined || !/exit node|offline|only shared|expired/.test(left.reason)
    return !self && address !== '' && left?.outcome !== 'offline' && asked
  })
  const identity = await ownIdentity(await stateDir())
  const asking = { identity, timeoutMs: eachMs, signal, insecureHttp: values['insecure-http'] ?? false }
  const spinner = await progress(process.stderr, `asking ${nodes.length} machines`, !values.quiet)
  const mute = (name: string) => (error: unknown) => {
    signal.throwIfAborted()
    if (!(error instanceof PeerFailure)) throw error
    if (/--insecure-http|not as LocalSend|another certificate/.test(error.message) && !values.quiet)
      note(plain(error.message))
    return { name, info: undefined }
  }
  const asked = await pMap(
    nodes,
    async ({ name, address }) => probe({ name, address, port }, asking).catch(mute(name)),
    { concurrency },
  ).finally(() => spinner.stop())
  const peers = asked.flatMap((peer) => {
    if (peer.info === undefined) return []
    const { name, address, protocol, fingerprint, info } = peer
    const { alias, version, deviceType } = info
    const known = fingerprint === undefined ? {} : { fingerprint }
    return [{ name, address, port, protocol, alias, version, deviceType, ...known }]
  })
  if (values.json) printJson({ peers })
  else if (peers.length > 0) peerLines(peers, colours, width).forEach((line) => print(line))
  if (peers.length > 0) return EXIT.done
  throw new NoSuitableNode(`LocalSend answers on none of ${nodes.length} machines, at port ${port}`)
})
