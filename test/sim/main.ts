#!/usr/bin/env tsx
/**
 * simulate: a mesh over time, under the planner of rebalance and under four other ways to move work.
 *
 * Usage: just simulate [options]
 *
 * A row a policy. First a mesh in which work comes and ends, most of it to one machine in ten, with a mean ratio of
 * 0.5: the share of time at each trit, how many processes were moved, how many of the moves came within five minutes
 * of the last one, how many processes came to their end, and how long planning took. Then a skewed start with
 * processes that last: how many machines are PLUS at first and after five minutes, and when there was none.
 *
 * Load averages are computed as Linux does. Four brokers plan once a minute each, without seeing each other; of 100
 * machines 3 do not answer and 10 answer late; one migration in 20 fails. The same seed gives the same work.
 *
 *   --nodes N           machines, 10 to 10000 (100)
 *   --hours H           how long work comes and ends (4)
 *   --seed S            a whole number (1)
 *   --policy NAME       only this one: planner, never, naive, random, two-choices
 *   --svg FILE          draw it
 *   --json              one JSON document
 *   -q, --quiet         no notes on standard error
 *   -h, --help          this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted.
 */
import { writeFile } from 'node:fs/promises'
import { countOf, numberOf } from '../../cli/numbers.ts'
import { recipe } from '../../cli/recipe.ts'
import { EXIT, Failure, Interrupted, UsageError } from '../../lib/base/errors.ts'
import { messageOf, quoted } from '../../lib/base/text.ts'
import { chart } from './chart.ts'
import { POLICIES, type Policy } from './policies.ts'
import { compare, outcomeLines, type Outcome } from './outcome.ts'

const options = {
  nodes: { type: 'string' },
  hours: { type: 'string' },
  seed: { type: 'string' },
  policy: { type: 'string' },
  svg: { type: 'string' },
} as const

await recipe(
  import.meta.filename,
  options,
  async ({ values, signal, print, printJson, note, colours, width }) => {
    const nodes = countOf('--nodes', values.nodes, { least: 10, most: 10_000, usual: 100 })
    const hours = numberOf('--hours', values.hours, { least: 0.1, most: 168, usual: 4, unit: 'hours' })
    const seed = countOf('--seed', values.seed, { least: 0, most: 2 ** 31 - 1, usual: 1 })
    const outcomes: Outcome[] = []
    for (const policy of chosen(values.policy)) {
      if (!values.quiet && nodes * hours > 2000) note(`${policy} …`)
      outcomes.push(compare({ nodes, minutes: hours * 60, seed, policy }))
      await new Promise((resolve) => setImmediate(resolve)) // where Ctrl-C is heard
      if (signal.aborted) throw new Interrupted('interrupted')
    }
    if (values.json) printJson({ nodes, hours, seed, policies: outcomes })
    else for (const line of await outcomeLines(outcomes, { nodes, hours }, colours, width)) print(line)
    if (values.svg !== undefined) await write(values.svg, chart(outcomes, { nodes, hours, seed }))
    return EXIT.done
  },
)

function chosen(name: string | undefined): readonly Policy[] {
  if (name === undefined) return POLICIES
  const policy = POLICIES.find((each) => each === name)
  if (policy === undefined) throw new UsageError(`--policy takes ${POLICIES.join(', ')}, not ${quoted(name)}`)
  return [policy]
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new Failure(`${quoted(file)} can't be written: ${messageOf(error)}`, { cause: error })
  })
}
