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
import { meshOptions } from '../cli/mesh-options.ts'
import { recipe } from '../cli/recipe.ts'
import { candidates, offering, shareOptions, wayOf } from '../cli/share.ts'
import { EXIT, NoSuitableNode } from '../lib/errors.ts'
import { firstThatTakes } from '../lib/share/attempts.ts'
import { walk } from '../lib/share/walk.ts'
import { bytesText } from '../lib/show/bytes.ts'
import { progress } from '../lib/show/progress.ts'
import { transferText } from '../lib/show/transfer.ts'
import { plain, quoted } from '../lib/text.ts'

const options = { ...meshOptions, ...shareOptions } as const

await recipe(
  import.meta.filename,
  options,
  async (context) => {
    const { values, operands, print, printJson, note } = context
    const way = wayOf(context)
    const parcel = await walk(operands)
    const [first, ...others] = await candidates(context)
    if (first === undefined) throw new NoSuitableNode('No idle peers available')

    const spinner = await progress(process.stderr, 'sending', !values.quiet)
    const of = parcel.files.reduce((sum, { size }) => sum + size, 0)
    let [bytes, began] = [0, performance.now()]
    const moved = (more: number) => {
      if (bytes === 0) began = performance.now()
      bytes += more
      spinner.update(transferText({ bytes, of, seconds: (performance.now() - began) / 1000 }))
    }
    const doing = (what: string) => spinner.update(plain(what))
    const outcome = await firstThatTakes(
      [first, ...others],
      offering(parcel, { ...way, moved, doing }),
      ({ reason }, next) => note(`${plain(reason)}; trying ${next.name}`),
    ).finally(() => spinner.stop())
    if ('last' in outcome) {
      if (values.target !== undefined) throw outcome.last
      throw new NoSuitableNode(`${outcome.last.message}; no other idle peer is left`)
    }

    const { node, result, tried } = outcome
    const { via, by, where, files, declined } = result
    const seconds = (performance.now() - began) / 1000
    const sentBytes = files.reduce((sum, file) => sum + file.bytes, 0)
    if (values.json)
      printJson({
        target: node.name,
        address: node.address,
        via,
        bytes: sentBytes,
        seconds,
        files,
        declined,
        tried,
      })
    else if (!values.quiet && files.length > 0) {
      const what = files.length === 1 ? plain(files[0]?.name ?? '') : `${files.length} files`
      const speed = seconds > 0.1 && bytes > 0 ? `, ${bytesText(bytes / seconds)}/s` : ''
      print(`sent ${what} (${bytesText(sentBytes)}) to ${node.name} by ${by}${where}${speed}`)
    }
    if (parcel.leftOut.length > 0 && via === 'localsend')
      for (const { name, why } of parcel.leftOut) note(`not sent: ${plain(name)}: ${why}`)
    if (declined.length === 0) return EXIT.done
    const more = declined.length > 1 ? ` and ${declined.length - 1} more` : ''
    note(`${node.name} did not want ${quoted(declined[0] ?? '')}${more}`)
    return EXIT.failed
  },
  { operands: true },
)
