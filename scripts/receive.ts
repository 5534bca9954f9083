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
import { durationOf, listenOn, receiveArgv, receiveOptions, receiverOf } from '../cli/receive.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/errors.ts'
import type { ReceiverEvent } from '../lib/localsend/events.ts'
import { ownIdentity } from '../lib/localsend/identity.ts'
import { startReceiver } from '../lib/localsend/receiver.ts'
import { receiveUnit, UNIT_NAME } from '../lib/share/receive-unit.ts'
import { eventLine } from '../lib/show/receiving.ts'
import { stateDir } from '../lib/state/state-dir.ts'
import { asciiControls, plain } from '../lib/text.ts'

await recipe(import.meta.filename, receiveOptions, async (context) => {
  const { values, signal, print, printJson, note } = context
  const wanted = receiverOf(values)
  const durationMs = durationOf(values)
  if (values.systemd) {
    const unit = { name: UNIT_NAME, text: receiveUnit(receiveArgv(values)) }
    if (values.json) printJson({ units: [unit] })
    else print(`# ~/.config/systemd/user/${unit.name}\n${unit.text}`.trimEnd())
    if (!values.quiet) note(`put it there, then: systemctl --user enable --now ${unit.name}`)
    return EXIT.done
  }
  const listen = await listenOn(context)

  const done = new AbortController()
  let [code, last]: [number, string] = [values.once ? EXIT.failed : EXIT.done, '']
  const tell = (event: ReceiverEvent) => {
    if (event.event === 'over' && values.once) {
      code = event.missing === 0 ? EXIT.done : EXIT.failed
      done.abort()
    }
    if (values.json) return print(asciiControls(JSON.stringify(event)))
    const { line, data } = eventLine(event)
    // Somebody who tries and tries is told of once.
    if (data) print(line)
    else if (!values.quiet && line !== last) note(line)
    last = line
  }
  const identity = await ownIdentity(await stateDir())
  const receiver = await startReceiver({ ...wanted, listen, identity, tell })
  if (!values.quiet)
    note(`receiving into ${plain(wanted.folder)} on ${listen.join(' and ')}, port ${receiver.port}`)
  const timer = durationMs === undefined ? undefined : setTimeout(() => done.abort(), durationMs)
  const end = AbortSignal.any([signal, done.signal])
  await new Promise((resolve) => (end.aborted ? resolve(end) : end.addEventListener('abort', resolve)))
  clearTimeout(timer)
  await receiver.close()
  signal.throwIfAborted()
  return code
})
