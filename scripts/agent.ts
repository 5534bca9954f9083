#!/usr/bin/env tsx
/**
 * agent: tell the load of this machine to a server of NATS, for whoever asks that server instead of each machine.
 *
 * Usage: just agent [options]
 *
 * Measures this machine as the other recipes would, marks of `just close` and of reservations included, and puts that
 * under its name into a bucket, every few seconds. Waits, longer each time, while the server can't be reached. Told to
 * end, it takes its record away. `just nats-setup` writes the files of such a server: see docs/scale.md.
 *
 *   --source S          nats=URL of the server, as nats=nats://HOST:4222 (RESOURCE_SHARING_SOURCE)
 *   --source-config F   this machine's own credentials, as NAME.nk of nats-setup
 *   --name NAME         what this machine is called in the mesh (the first part of its host name)
 *   --interval S        between two records, 1 to 50 (10)
 *   --once              one record, and end; it stays until it is old
 *   --install           print a service that does this, of systemd or on macOS launchd, and do nothing
 *   --system            with --install: a service of the system's, not of the user's
 *   --launchd           with --install: for macOS, also elsewhere
 *   --timeout S         seconds for reaching the server, and for measuring (10)
 *   --json              one JSON document a line, for each thing that happens; its own cost too
 *   -q, --quiet         print nothing but errors
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted.
 */
import { countOf, timeoutSecondsOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { asciiControls } from '../lib/base/text.ts'
import { agentLine } from '../lib/show/agent.ts'
import { AGENT_SECONDS } from '../verbs/bounds.ts'
import { agent, agentUnits } from '../verbs/watch/agent.ts'

const options = {
  source: { type: 'string' },
  'source-config': { type: 'string' },
  name: { type: 'string' },
  interval: { type: 'string' },
  once: { type: 'boolean' },
  install: { type: 'boolean' },
  system: { type: 'boolean' },
  launchd: { type: 'boolean' },
} as const

await recipe(import.meta.filename, options, async ({ values, print, printJson, note, deps }) => {
  const { source, name, once, system, launchd } = values
  const intervalSeconds = countOf('--interval', values.interval, AGENT_SECONDS)
  const input = { source, sourceConfig: values['source-config'], name, intervalSeconds }
  if (values.install) {
    const result = await agentUnits({ ...input, system, launchd })
    if (values.json) printJson(result)
    for (const { path, text, start } of result.units) {
      if (!values.json) print(launchd ? text.trimEnd() : `# ${path}\n${text}`.trimEnd())
      deps.hint(`put it into ${path}, then: ${start}`)
    }
    return EXIT.done
  }
  let last: string | undefined
  const result = await agent(
    { ...input, once, timeoutSeconds: timeoutSecondsOf(values.timeout) },
    deps,
    (event) => {
      if (values.json) return print(asciiControls(JSON.stringify(event)))
      const line = agentLine(event)
      // What goes wrong each time alike is told of once.
      if (line !== undefined && line !== last && !(values.quiet && event.event !== 'failed')) note(line)
      if (event.event !== 'lost' || line === undefined) last = line
    },
  )
  if (values.json) printJson(result)
  else deps.hint(`${result.name} has told its load to NATS at ${result.server}`)
  return EXIT.done
})
