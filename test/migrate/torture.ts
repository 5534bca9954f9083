/**
 * torture-migrate: things go wrong while a process moves, and it must run exactly once afterwards.
 *
 * Usage: just torture-migrate [N] [--seed S] [--fault WORDS] [--systematic] [--terminals | --sockets]
 *
 * N trials (40), each with a fault at a random moment of a random step; with --systematic every fault before and in the
 * middle of every step. A trial is wrong when a number was counted twice, or on both machines, or is missing; when not
 * exactly one copy counts on; or when something of the migration is left. A target that is switched off when it has
 * begun to continue the copy is for a person to decide: they must be told, and the images there must be whole. The
 * table is fault × outcome × count. With --terminals what moves is a job or a whole shell at a terminal, with
 * --sockets a server or a client with a connection, which has to be there still where it has not moved.
 */
import { parseArgs } from 'node:util'
import { openLab } from '../lab/lab.ts'
import { torture } from './rounds.ts'

const { values, positionals } = parseArgs({
  options: {
    seed: { type: 'string' },
    fault: { type: 'string' },
    systematic: { type: 'boolean' },
    terminals: { type: 'boolean' },
    sockets: { type: 'boolean' },
  },
  allowPositionals: true,
})
const count = Number(positionals[0] ?? '40')
const seed = Number(values.seed ?? String(Date.now() % 100_000))
const say = (line: string): void => void process.stdout.write(`${line}\n`)
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  say('usage: torture-migrate [N] [--seed S] [--fault WORDS] [--systematic] [--terminals | --sockets]')
  process.exit(2)
}
const lab = await openLab({ instance: 'torture', hosts: 3, tailnet: false, log: say })
try {
  const { wrong, lines } = await torture(
    lab,
    {
      count,
      seed,
      fault: values.fault,
      systematic: values.systematic ?? false,
      terminals: values.terminals ?? false,
      sockets: values.sockets ?? false,
    },
    say,
  )
  lines.forEach((line) => say(line))
  process.exitCode = wrong > 0 ? 1 : 0
} finally {
  await lab.close()
}
