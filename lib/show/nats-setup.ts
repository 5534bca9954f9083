import { join } from 'node:path'
import type { NatsSetupResult } from '../../verbs/watch/schemas.ts'
import { shellWord } from '../base/shell.ts'
import { plain } from '../base/text.ts'

/** What was done, and what is to be done next. */
export function natsSetupLines(result: NatsSetupResult): { lines: string[]; hints: string[] } {
  const { dir, bucket, written, nodes, server } = result
  const path = (name: string) => plain(join(dir, name), 1000)
  const word = (name: string) => plain(shellWord(join(dir, name)), 1000)
  const known = nodes.filter(({ added }) => !added).map(({ name }) => `${name} is known already`)
  const lines = [
    ...written.map((name) => path(name)),
    ...(server === undefined ? [] : [`the bucket ${bucket} is at ${server}, as bucket.json has it`]),
  ]
  const begins = written.includes('server.conf')
  const added = nodes.filter((node) => node.added)
  const hints = [
    ...known,
    ...(begins
      ? [
          `start the server: nats-server -c ${word('server.conf')}`,
          `then make the bucket: just nats-setup --dir ${plain(shellWord(dir), 1000)} --create`,
        ]
      : written.includes('nodes.conf')
        ? ['have the server read that: nats-server --signal reload']
        : []),
    ...(added.length > 0
      ? [
          `bring ${added[0]?.seed} to ${added[0]?.name}, and there: just agent --source nats=URL --source-config FILE`,
        ]
      : []),
    ...(server === undefined ? [] : [`who looks: --source nats=URL --source-config ${word('reader.nk')}`]),
  ]
  return { lines, hints }
}
