/**
 * start: how long recipes take that have little to do, beside an empty program of Node.
 *
 * Usage: just bench start [--rounds N]     10 rounds
 *
 * On one host of the lab, which is in no tailnet; each round runs each once. `--help` of every recipe is what it costs
 * to load it. The trit of this machine is also asked of the shell, as one would by hand.
 */
import { readdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { openLab } from '../test/lab/lab.ts'
import { inTurns } from './hyperfine.ts'
import { median, report, rowOf, type Row } from './report.ts'

const ROOT = '/srv/resource-sharing'
const BY_HAND =
  'read -r load rest </proc/loadavg; awk -v load="$load" -v cpus="$(nproc)" "BEGIN { ratio = load / cpus; print (ratio > 0.8) - (ratio < 0.3) }"'
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } })

const recipe = (script: string, args: string) => `node cli/start.mjs scripts/${script}.ts ${args}`
const names = (await readdir(new URL('../scripts', import.meta.url))).map((file) => file.replace(/\.ts$/, ''))
const lab = await openLab({ instance: 'bench', hosts: 1, tailnet: false })
try {
  const found = await lab.exec('n1', ['sh', '-c', `ls ${ROOT}/node_modules/rust-just-*/bin/just`])
  const commands: Record<string, string> = {
    'node -e 0': 'node -e 0',
    'mesh-balance, this machine alone': recipe('mesh-balance', ''),
    'node-trit --window 0': recipe('node-trit', '--window 0'),
    'just node-trit --window 0': `${found.stdout.trim()} node-trit --window 0`,
    'the trit by a shell and awk': `sh -c '${BY_HAND}'`,
    ...Object.fromEntries(names.map((name) => [`${name} --help`, recipe(name, '--help')])),
  }
  // The trit is the exit code.
  const took = await inTurns(lab, Object.values(commands), { rounds: Number(values.rounds), mayFail: true })
  const empty = median((took[0] ?? []).map(({ seconds }) => seconds * 1000))
  const rows = Object.keys(commands).flatMap((program, index): Row[] => {
    const all = took[index] ?? []
    const clock = rowOf(
      'clock',
      program,
      'ms',
      all.map(({ seconds }) => seconds * 1000),
      empty,
    )
    const cpu = rowOf(
      'CPU',
      program,
      'ms',
      all.map((each) => each.cpu * 1000),
    )
    return program.endsWith('--help') ? [clock] : [clock, cpu]
  })
  report('start', rows, 'node -e 0')
} finally {
  await lab.close()
}
