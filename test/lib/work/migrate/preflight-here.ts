// Runs in a host of the lab: reads the facts of processes here and prints, a JSON line each, what they are refused for.
// Usage: node cli/start.mjs test/lib/work/migrate/preflight-here.ts '{"pids": [1], "target": "n2", "copyFiles": false, "facts": false}'
import { z } from 'zod'
import { gatherTarget } from '../../../../lib/work/migrate/facts/gather.ts'
import { filesToShip, refusals, wantedOf } from '../../../../lib/work/migrate/preflight.ts'
import { steadySource } from '../../../../lib/work/migrate/steady.ts'
import { Connections } from '../../../../lib/mesh/connections.ts'

const Question = z.object({
  pids: z.array(z.int()),
  /** Another host; without it only what the source decides. */
  source: z.string().optional(),
  target: z.string().optional(),
  copyFiles: z.boolean().default(false),
  force: z.boolean().default(false),
  facts: z.boolean().default(false),
})
const question = Question.parse(JSON.parse(process.argv[2] ?? ''))
const reach = { connections: await Connections.open(), connectMs: 5000 }
const limits = { timeoutMs: 60_000, signal: new AbortController().signal }

const hostOf = (name: string | undefined) =>
  name === undefined ? { name: 'here' } : { name, ssh: { host: name } }

// 0 is this program.
for (const pid of question.pids.map((each) => each || process.pid)) {
  const began = performance.now()
  const source = await steadySource(hostOf(question.source), pid, reach, limits)
  const sourceMs = performance.now() - began
  process.stdout.write(`${JSON.stringify({ pid, sourceMs, ...(await answer(source)) })}\n`)
}
await reach.connections.closeOpened()

async function answer(source: Awaited<ReturnType<typeof steadySource>>) {
  if (!source.known) return { refusals: [source.refusal] }
  const { target: name, facts, ...options } = question
  const shown = facts ? { source: source.facts } : {}
  const alone = refusals(source.facts, undefined, options)
  if (name === undefined || alone.length > 0) return { ...shown, refusals: alone }
  const began = performance.now()
  const target = await gatherTarget(hostOf(name), wantedOf(source.facts), reach, limits)
  const targetMs = performance.now() - began
  if (!target.known) return { ...shown, refusals: [target.refusal] }
  return {
    ...shown,
    ...(facts ? { target: target.facts } : {}),
    targetMs,
    refusals: refusals(source.facts, target.facts, options),
    shipment: filesToShip(source.facts, target.facts, options.copyFiles),
  }
}
