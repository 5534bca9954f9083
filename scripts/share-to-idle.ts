#!/usr/bin/env tsx
/**
 * share-to-idle: send files to the machine with the most room.
 *
 * Usage: just share-to-idle PATH… [options]
 *
 * The peer with the lowest load among those with trit -1 that are not closed gets them; a folder goes as its files. When
 * it declines or vanishes before it has accepted anything, the next one is asked.
 *
 *   --target NAME       send to this machine, whatever its load, also when it is closed
 *   --via WAY           localsend (the default), taildrop, ssh, or auto: the first of localsend, ssh, taildrop that works
 *   --pin PIN           what the receiver asks for (LocalSend)
 *   --wait S            how long the receiver may take to accept, or be busy (60)
 *   --port N            where its LocalSend listens (53317)
 *   --trust-new         accept that its certificate has changed
 *   --insecure-http     send without TLS to a peer that speaks none
 *   --dest FOLDER       where ssh puts it there (~/Downloads/resource-sharing/)
 *   --hosts A,B         choose among these machines ([user@]host[:port]) instead of the tailnet's
 *   --hosts-file FILE   the same, one a line; # begins a comment
 *   --source S          prometheus=URL or nats=URL: the machines that this server knows, not the tailnet's
 *   --source-config F   a file with its credentials and certificates: see docs/scale.md
 *   --node-label L      names from this label of node_uname_info instead of the host of `instance`
 *   --exclude A,B       leave these machines out
 *   --fanout N          ask so many at the same time (64)
 *   --timeout S         seconds to find a machine and to reach it (10); what moves may take its time
 *   --json              one JSON document
 *   -q, --quiet         print nothing when all is there
 *   -h, --help          this text
 *
 * Exit codes: 0 sent, 1 failed, also when the machine of --target does not take it, 2 usage, 3 no idle machine, or none
 * that takes it, 5 another certificate than before, 130 interrupted.
 */
import { meshInput, meshOptions } from '../cli/mesh-options.ts'
import { countOf, numberOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { plain, quoted } from '../lib/base/text.ts'
import { sentLine } from '../lib/show/sent.ts'
import { ACCEPT_WAIT_SECONDS, PORT_NUMBER } from '../verbs/bounds.ts'
import { shareToIdle } from '../verbs/share/share-to-idle.ts'

const options = {
  ...meshOptions,
  target: { type: 'string' },
  via: { type: 'string' },
  port: { type: 'string' },
  pin: { type: 'string' },
  wait: { type: 'string' },
  dest: { type: 'string' },
  'trust-new': { type: 'boolean' },
  'insecure-http': { type: 'boolean' },
} as const

await recipe(
  import.meta.filename,
  options,
  async ({ values, operands: paths, print, printJson, note, deps }) => {
    const { target, via = 'localsend', pin, dest } = values
    if (via !== 'localsend' && via !== 'taildrop' && via !== 'ssh' && via !== 'auto')
      throw new UsageError(`--via takes localsend, taildrop, ssh or auto, not ${quoted(via)}`)
    const port = countOf('--port', values.port, PORT_NUMBER)
    const waitSeconds = numberOf('--wait', values.wait, ACCEPT_WAIT_SECONDS)
    const careless = { trustNew: values['trust-new'], insecureHttp: values['insecure-http'] }
    const way = { via, port, pin, waitSeconds, dest, ...careless } as const
    const sent = await shareToIdle({ ...(await meshInput(values)), paths, target, ...way }, deps)
    if (values.json) printJson(sent)
    else if (!values.quiet && sent.files.length > 0) print(sentLine(sent))
    for (const { name, why } of sent.leftOut) note(`not sent: ${plain(name)}: ${why}`)
    const [first, ...others] = sent.declined
    if (first === undefined) return EXIT.done
    const more = others.length > 0 ? ` and ${others.length} more` : ''
    note(`${sent.target} did not want ${quoted(first)}${more}`)
    return EXIT.failed
  },
  { operands: true },
)
