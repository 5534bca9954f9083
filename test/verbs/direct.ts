/** Calls verbs as a program would: a line `{"name": …, "input": …}` on standard input each, a line of JSON for each result. */
import { createInterface } from 'node:readline'
import { VERBS } from '../../verbs/catalogue/catalogue.ts'
import { silently } from '../../verbs/verb.ts'

const deps = silently(new AbortController().signal)
for await (const line of createInterface({ input: process.stdin })) {
  const { name, input }: { name: string; input: unknown } = JSON.parse(line)
  const verb = VERBS.find((each) => each.name === name)
  if (!verb) throw new Error(`there is no verb ${name}`)
  process.stdout.write(`${JSON.stringify(await verb.call(input, deps))}\n`)
}
