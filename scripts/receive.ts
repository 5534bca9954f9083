#!/usr/bin/env tsx
/**
 * receive: take files from LocalSend, on a machine without the app.
 *
 * Usage: just receive [options]
 *
 * Listens on the tailnet's address and the loopback, and takes files only from this tailnet and this machine. A file has
 * its name when it is whole and on the disk, and never replaces another. A line a file on standard output.
 *
 *   --dir FOLDER        where files go (~/Downloads/resource-sharing)
 *   --port N            (53317)
 *   --pin PIN           what senders have to say; after three wrong ones an address is not heard again
 *   --once              end after the first sender; exit 1 when not all of its files arrived
 *   --allow CIDR        let this network send too, as well as the tailnet: needs --pin
 *   --listen ADDRESS    listen here instead
 *   --insecure-http     without TLS, for senders that speak none
 *   --systemd           print a user service that does this, and receive nothing
 *   --timeout S         end after so long; with --once, exit 1 when nobody has sent
 *   --json              one JSON document a line, for each thing that happens
 *   -q, --quiet         print only what arrives
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted.
 */
import { countOf, timeoutSecondsOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { asciiControls } from '../lib/base/text.ts'
import type { ReceiverEvent } from '../lib/share/localsend/receiver/events.ts'
import { eventLine } from '../lib/show/receiving.ts'
import { PORT_NUMBER } from '../verbs/bounds.ts'
import { receive, receiveUnits } from '../verbs/share/receive.ts'

const options = {
  dir: { type: 'string' },
  port: { type: 'string' },
  pin: { type: 'string' },
  once: { type: 'boolean' },
  allow: { type: 'string', multiple: true },
  listen: { type: 'string', multiple: true },
  'insecure-http': { type: 'boolean' },
  systemd: { type: 'boolean' },
} as const

await recipe(import.meta.filename, options, async ({ values, print, printJson, note, deps }) => {
  const { dir, pin, once = false, allow, listen } = values
  const input = {
    dir,
    pin,
    once,
    allow,
    listen,
    port: countOf('--port', values.port, PORT_NUMBER),
    insecureHttp: values['insecure-http'],
    seconds: timeoutSecondsOf(values.timeout),
  }
  if (values.systemd) {
    const result = await receiveUnits(input)
    if (values.json) printJson(result)
    for (const { name, text } of result.units) {
      if (!values.json) print(`# ~/.config/systemd/user/${name}\n${text}`.trimEnd())
      deps.hint(`put it there, then: systemctl --user enable --now ${name}`)
    }
    return EXIT.done
  }
  let last = ''
  const tell = (event: ReceiverEvent) => {
    if (values.json) return print(asciiControls(JSON.stringify(event)))
    const { line, data } = eventLine(event)
    // Somebody who tries and tries is told of once.
    if (data) print(line)
    else if (!values.quiet && line !== last) note(line)
    last = line
  }
  const { sessions, missing } = await receive(input, deps, tell)
  return once && (sessions === 0 || missing > 0) ? EXIT.failed : EXIT.done
})
