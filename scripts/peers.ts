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
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds that a machine may take to answer (5)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 3 nobody answers, 130 interrupted.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { countOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, NoSuitableNode } from '../lib/base/errors.ts'
import { peerLines } from '../lib/show/peers.ts'
import { PORT_NUMBER } from '../verbs/bounds.ts'
import { peers } from '../verbs/share/peers.ts'

const options = {
  ...meshOptions,
  port: { type: 'string' },
  'insecure-http': { type: 'boolean' },
} as const

await recipe(import.meta.filename, options, async ({ values, colours, width, print, printJson, deps }) => {
  const port = countOf('--port', values.port, PORT_NUMBER)
  const insecureHttp = values['insecure-http']
  const result = await peers({ ...(await meshInput(values)), port, insecureHttp }, deps)
  if (values.json) printJson(result)
  else if (result.peers.length > 0)
    for (const line of await peerLines(result.peers, colours, width)) print(line)
  if (result.peers.length > 0) return EXIT.done
  throw new NoSuitableNode(`LocalSend answers on none of ${result.asked ?? 0} machines, at port ${port}`)
})
