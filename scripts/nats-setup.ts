#!/usr/bin/env tsx
/**
 * nats-setup: the files of a nats-server that the machines of a mesh tell their load.
 *
 * Usage: just nats-setup [options]
 *
 * Writes into a folder, for a person to read: the server's configuration (server.conf, readers.conf, nodes.conf), how its
 * bucket is made (bucket.json), and the secrets of its owner, of who reads and of each machine (*.nk, for this user alone).
 * A machine may write under its own name alone, and read nothing. What is there already is left as it is, so say it again
 * to add machines. Nothing is started: docs/scale.md says how.
 *
 *   --dir FOLDER        where (nats)
 *   --node NAME         add this machine; its secret is NAME.nk, for `just agent --source-config`; may be said many times
 *   --bucket NAME       (mesh)
 *   --listen HOST:PORT  where the server is to listen (127.0.0.1:4222)
 *   --ttl S             how long a machine that says nothing any more is known, 60 to 604800 (900)
 *   --create            make the bucket on the server that runs with these files, or change it to what bucket.json says
 *   --source S          for --create: nats=URL of the server (where server.conf has it listen)
 *   --source-config F   for --create: credentials of the owner (owner.nk)
 *   --timeout S         seconds for --create (10)
 *   --json              one JSON document
 *   -q, --quiet         no hints on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 5 refused because a file is not as it was written, 130 interrupted.
 */
import { countOf, timeoutSecondsOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { natsSetupLines } from '../lib/show/nats-setup.ts'
import { KEPT_SECONDS } from '../verbs/bounds.ts'
import { natsSetup } from '../verbs/watch/nats-setup.ts'

const options = {
  dir: { type: 'string' },
  node: { type: 'string', multiple: true },
  bucket: { type: 'string' },
  listen: { type: 'string' },
  ttl: { type: 'string' },
  create: { type: 'boolean' },
  source: { type: 'string' },
  'source-config': { type: 'string' },
} as const

await recipe(import.meta.filename, options, async ({ values, print, printJson, deps }) => {
  const { dir, bucket, listen, create, source } = values
  const result = await natsSetup(
    {
      dir,
      nodes: values.node,
      bucket,
      listen,
      ttlSeconds: countOf('--ttl', values.ttl, KEPT_SECONDS),
      create,
      source,
      sourceConfig: values['source-config'],
      timeoutSeconds: timeoutSecondsOf(values.timeout),
    },
    deps,
  )
  const { lines, hints } = natsSetupLines(result)
  if (values.json) printJson(result)
  else lines.forEach(print)
  hints.forEach(deps.hint)
  return EXIT.done
})
